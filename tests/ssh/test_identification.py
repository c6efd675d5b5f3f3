"""Servers' greetings, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.ssh.identification import MOST_BEFORE, Greeting, NotSsh, TooOld, openssh_version


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20))
def test_a_greeting_reads_the_same_in_whatever_pieces_it_comes(sizes: list[int]) -> None:
    whole = b"Authorised use only\r\n\r\nSSH-2.0-OpenSSH_9.2p1 Debian\r\n\x00\x00\x01\x02rest"
    greeting, received, at = Greeting(), b"", 0
    complete = None
    for size in [*sizes, len(whole)]:
        piece, at = whole[at : at + size], at + size
        if complete is None:
            complete = greeting.feed(piece)
        else:
            received += piece
    assert complete is not None
    assert complete[0] == "SSH-2.0-OpenSSH_9.2p1 Debian"
    assert complete[1] + received == b"\x00\x00\x01\x02rest"
    assert greeting.lines == ["Authorised use only", ""]


@pytest.mark.parametrize("text", [b"SSH-1.5-Cisco\n", b"SSH-1.0-x\r\n"])
def test_version_1_is_too_old(text: bytes) -> None:
    with pytest.raises(TooOld):
        Greeting().feed(text)


def test_version_1_99_speaks_version_2() -> None:
    assert Greeting().feed(b"SSH-1.99-OpenSSH_3.9\n") == ("SSH-1.99-OpenSSH_3.9", b"")


@pytest.mark.parametrize("data", [b"SSH-2.0\r\n", b"SSH-2.0-\r\n", b"x" * (MOST_BEFORE + 1), b"SSH-" + b"x" * 2000])
def test_what_never_becomes_an_identification_is_given_up(data: bytes) -> None:
    with pytest.raises(NotSsh):
        Greeting().feed(data)


@given(st.binary(max_size=300))
def test_no_bytes_break_it(data: bytes) -> None:
    try:
        Greeting().feed(data)
    except (NotSsh, TooOld) as error:
        assert str(error)


@pytest.mark.parametrize(
    ("software", "version"),
    [
        ("OpenSSH_9.2p1 Debian-2+deb12u7", (9, 2)),
        ("SSH-2.0-OpenSSH_10.0", (10, 0)),
        ("OpenSSH_for_Windows_9.5", (9, 5)),
        ("dropbear_2022.83", None),
        ("mod_sftp OpenSSH_9.2", None),
    ],
)
def test_the_version_of_openssh_is_read_and_of_nothing_else(software: str, version: tuple[int, int] | None) -> None:
    assert openssh_version(software) == version
