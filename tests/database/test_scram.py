"""SCRAM-SHA-256 against the example of RFC 7677 and against servers that cheat."""

from __future__ import annotations

import pytest

from tunneldoctor.database import scram
from tunneldoctor.database.scram import Scram, ScramError

SERVER_FIRST = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> Scram:
    """The RFC's exchange: its nonce, and its user in the first message."""
    exchange = Scram(b"pencil")
    exchange._nonce = b"rOprNGfwEbeRWgbNEkqO"
    exchange._first = b"n=user,r=rOprNGfwEbeRWgbNEkqO"
    return exchange


def test_the_example_of_rfc_7677(example: Scram) -> None:
    assert example.final(SERVER_FIRST).endswith(b",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    example.check(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


def test_a_false_proof_is_refused(example: Scram) -> None:
    example.final(SERVER_FIRST)
    with pytest.raises(ScramError, match="could not prove"):
        example.check(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize("final", [b"", b"e=other-error", b"v=", b"v"])
def test_no_proof_is_refused(example: Scram, final: bytes) -> None:
    with pytest.raises(ScramError):
        example.check(final)


@pytest.mark.parametrize(
    "challenge",
    [
        b"",
        b"r=other,s=W22Z,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=!!!,i=4096",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=zero",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=0",
        b"r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=99999999999",
    ],
)
def test_a_malformed_challenge_is_refused(example: Scram, challenge: bytes) -> None:
    with pytest.raises(ScramError):
        example.final(challenge)


def test_the_header_says_whether_binding_was_possible() -> None:
    assert Scram(b"x").first().startswith(b"n,,")
    assert Scram(b"x", could_bind=True).first().startswith(b"y,,")
    bound = Scram(b"x", b"hash")
    assert bound.mechanism == "SCRAM-SHA-256-PLUS"
    assert bound.first().startswith(b"p=tls-server-end-point,,")


@pytest.mark.parametrize(
    ("given", "prepared"),
    [
        ("plain", b"plain"),
        ("I\u00adX", b"IX"),
        ("\u2168", b"IX"),
        ("a\u00a0b", b"a b"),
        ("\u0007é", "\u0007é".encode()),
        ("\u06271", "\u06271".encode()),
    ],
)
def test_passwords_are_prepared_as_rfc_4013_says_and_left_alone_where_it_forbids_them(
    given: str, prepared: bytes
) -> None:
    assert scram._prepared(given.encode()) == prepared


def test_bytes_that_are_no_text_are_left_alone() -> None:
    assert scram._prepared(b"\xff\xfe") == b"\xff\xfe"
