"""Asking name servers one by one, against a scripted one on loopback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.net.nameserver import ScriptedNameServer
from tunneldoctor.net.nameservers import Configuration, ask, ask_all, configured, opinions_of_all
from tunneldoctor.net.replies import Answer, Server

NAME = "bastion.example.com."
Make = Callable[..., ScriptedNameServer]


def server_of(scripted: ScriptedNameServer) -> Server:
    return Server(scripted.address, scripted.port)


def test_addresses_come_back_with_the_aliases_on_the_way(name_server: Make) -> None:
    script = {(NAME, "A"): ["CNAME lb.example.net.", "A 203.0.113.2", "A 203.0.113.3"]}
    reply = ask(server_of(name_server(script)), NAME, "A", 2.0)
    assert reply.answer is Answer.ADDRESSES
    assert reply.addresses == ("203.0.113.2", "203.0.113.3")
    assert reply.chain == ("lb.example.net",)


@pytest.mark.parametrize(
    ("scripted", "answer"),
    [
        ("NXDOMAIN", Answer.NXDOMAIN),
        ([], Answer.NO_DATA),
        ("SERVFAIL", Answer.SERVFAIL),
        ("REFUSED", Answer.REFUSED),
        ("NOTIMP", Answer.OTHER),
    ],
)
def test_each_answer_has_its_name(name_server: Make, scripted: Any, answer: Answer) -> None:
    assert ask(server_of(name_server({(NAME, "A"): scripted})), NAME, "A", 2.0).answer is answer


def test_silence_is_a_timeout(name_server: Make) -> None:
    assert ask(server_of(name_server({(NAME, "A"): "SILENCE"})), NAME, "A", 0.3).answer is Answer.TIMEOUT


def test_a_port_where_no_server_listens_is_unreachable(name_server: Make) -> None:
    gone = name_server({})
    gone.close()
    assert ask(server_of(gone), NAME, "A", 2.0).answer is Answer.UNREACHABLE


def test_a_truncated_answer_is_asked_for_again_over_tcp(name_server: Make) -> None:
    scripted = name_server({(NAME, "A"): ["TRUNCATED", "A 203.0.113.2"]})
    assert ask(server_of(scripted), NAME, "A", 2.0).addresses == ("203.0.113.2",)
    assert len(scripted.asked) == 2


def test_where_tcp_fails_a_truncated_answer_is_none_and_says_so(name_server: Make) -> None:
    scripted = name_server({(NAME, "A"): "ONLY UDP"})
    reply = ask(server_of(scripted), NAME, "A", 2.0)
    assert reply.answer is Answer.TRUNCATED
    assert "TCP port" in reply.detail


@pytest.mark.parametrize("answer", ["GARBAGE", "OTHER ID"])
def test_what_is_no_answer_is_not_silence(name_server: Make, answer: str) -> None:
    reply = ask(server_of(name_server({(NAME, "A"): answer})), NAME, "A", 0.3)
    assert (reply.answer, bool(reply.detail)) == (Answer.OTHER, True)


def test_a_server_on_ipv6_is_asked(name_server: Make) -> None:
    scripted = name_server({(NAME, "AAAA"): ["AAAA 2001:db8::2"]}, "::1")
    assert ask(server_of(scripted), NAME, "AAAA", 2.0).addresses == ("2001:db8::2",)


def test_all_servers_are_asked_for_both_families_and_a_silent_one_holds_up_nobody(name_server: Make) -> None:
    healthy = name_server({(NAME, "A"): ["A 203.0.113.2"]})
    silent = name_server({(NAME, "A"): "SILENCE", (NAME, "AAAA"): "SILENCE"})
    replies = ask_all([server_of(silent), server_of(healthy)], [NAME], 0.5)
    assert [reply.answer for reply in replies] == [
        Answer.TIMEOUT,
        Answer.TIMEOUT,
        Answer.ADDRESSES,
        Answer.NO_DATA,
    ]


def test_a_name_in_unicode_is_asked_for_in_its_ascii_form(name_server: Make) -> None:
    scripted = name_server({("xn--bcher-kva.example.", "A"): ["A 203.0.113.2"]})
    assert ask(server_of(scripted), "bücher.example.", "A", 2.0).addresses == ("203.0.113.2",)


def test_opinions_follow_the_search_domains(name_server: Make) -> None:
    scripted = name_server({("bastion.corp.example.", "A"): ["A 203.0.113.2"]})
    system = Configuration((server_of(scripted),), ("corp.example",))
    (opinion,) = opinions_of_all("bastion", 2.0, configuration=system)
    assert opinion.addresses == ("203.0.113.2",)


class TestConfiguration:
    def test_servers_search_domains_and_ndots_are_read(self, tmp_path: Path) -> None:
        path = tmp_path / "resolv.conf"
        path.write_text(
            "search corp.example lab.example\nnameserver 192.0.2.53\nnameserver 2001:db8::53\noptions ndots:2\n"
        )
        seen = configured(path)
        assert [server.address for server in seen.servers] == ["192.0.2.53", "2001:db8::53"]
        assert (seen.search, seen.ndots) == (("corp.example", "lab.example"), 2)

    def test_only_the_first_three_servers_count_as_in_glibc(self, tmp_path: Path) -> None:
        path = tmp_path / "resolv.conf"
        path.write_text("".join(f"nameserver 192.0.2.{last}\n" for last in range(1, 9)))
        assert len(configured(path).servers) == 3

    def test_a_line_that_names_no_address_is_passed_over(self, tmp_path: Path) -> None:
        path = tmp_path / "resolv.conf"
        path.write_text("nameserver dns.example.com\nnameserver 192.0.2.53\n")
        assert [server.address for server in configured(path).servers] == ["192.0.2.53"]

    @pytest.mark.parametrize("text", [None, "", "search corp.example\n"])
    def test_without_any_server_it_is_this_machine(self, tmp_path: Path, text: str | None) -> None:
        path = tmp_path / "resolv.conf"
        if text is not None:
            path.write_text(text)
        assert [server.address for server in configured(path).servers] == ["127.0.0.1"]

    @pytest.mark.parametrize(
        ("host", "names"),
        [
            ("bastion", ("bastion.corp.example.", "bastion.")),
            ("bastion.lab", ("bastion.lab.", "bastion.lab.corp.example.")),
            ("bastion.", ("bastion.",)),
        ],
    )
    def test_candidates_are_those_of_the_resolver(self, host: str, names: tuple[str, ...]) -> None:
        assert Configuration((), ("corp.example",)).candidates(host) == names
