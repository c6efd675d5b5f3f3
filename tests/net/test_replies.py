"""What several replies come to, as the system's resolver would see it."""

from __future__ import annotations

import pytest

from tunneldoctor.net.replies import Answer, Reply, Server, judge

ONE, TWO = Server("192.0.2.1"), Server("192.0.2.2")
NAME = "bastion.example.com."


def replies(server: Server, a: Answer, aaaa: Answer | None = None, name: str = NAME) -> list[Reply]:
    return [Reply(server, name, "A", a), Reply(server, name, "AAAA", aaaa or a)]


@pytest.mark.parametrize(
    ("a", "aaaa", "comes_to"),
    [
        (Answer.ADDRESSES, Answer.NO_DATA, Answer.ADDRESSES),
        (Answer.ADDRESSES, Answer.TIMEOUT, Answer.ADDRESSES),
        (Answer.NO_DATA, Answer.NO_DATA, Answer.NO_DATA),
        (Answer.NO_DATA, Answer.SERVFAIL, Answer.SERVFAIL),
        (Answer.NXDOMAIN, Answer.TIMEOUT, Answer.NXDOMAIN),
    ],
)
def test_both_families_of_one_server(a: Answer, aaaa: Answer, comes_to: Answer) -> None:
    assert judge(replies(ONE, a, aaaa), [NAME]).answer is comes_to


def test_the_first_server_with_a_final_answer_decides() -> None:
    both = [*replies(ONE, Answer.SERVFAIL), *replies(TWO, Answer.NXDOMAIN)]
    verdict = judge(both, [NAME])
    assert verdict.answer is Answer.NXDOMAIN
    assert verdict.by is not None
    assert verdict.by.server == TWO


def test_of_two_failures_the_one_that_says_more_is_told() -> None:
    assert judge([*replies(ONE, Answer.TIMEOUT), *replies(TWO, Answer.REFUSED)], [NAME]).answer is Answer.REFUSED
    assert judge([*replies(ONE, Answer.UNREACHABLE), *replies(TWO, Answer.TIMEOUT)], [NAME]).answer is Answer.TIMEOUT


def test_a_search_domain_that_knows_the_name_decides() -> None:
    names = ["bastion.corp.example.", "bastion."]
    seen = [*replies(ONE, Answer.NXDOMAIN, name=names[0]), *replies(ONE, Answer.ADDRESSES, name=names[1])]
    assert judge(seen, names).answer is Answer.ADDRESSES


def test_a_name_that_is_unknown_in_every_form_does_not_exist() -> None:
    names = [NAME, f"{NAME}corp.example."]
    seen = [each for name in names for each in replies(ONE, Answer.NXDOMAIN, name=name)]
    assert judge(seen, names).answer is Answer.NXDOMAIN


def test_nobody_asked_is_a_timeout() -> None:
    assert judge([], [NAME]).answer is Answer.TIMEOUT
