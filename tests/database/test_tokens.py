"""What can be read in a cloud's token without showing it."""

from __future__ import annotations

import base64
import json

from tunneldoctor.database.tokens import read_token
from tunneldoctor.model import Database

DATABASE = Database("postgresql", "db.example", 5432, "app")


def aws(host: str = "db.example:5432", user: str = "app") -> bytes:
    return (
        f"{host}/?Action=connect&DBUser={user}&X-Amz-Date=20260101T120000Z&X-Amz-Expires=900&X-Amz-Signature=00"
    ).encode()


def test_an_aws_token_tells_its_end_its_host_and_its_user() -> None:
    noon = 1767268800.0
    token = read_token(aws())
    assert token
    assert token.problem(DATABASE, noon + 60) is None
    assert token.problem(DATABASE, noon + 901) == "it expired at 2026-01-01 12:15:00 UTC"
    elsewhere, other = read_token(aws("127.0.0.1:15432")), read_token(aws(user="admin"))
    assert elsewhere and "made for 127.0.0.1:15432" in (elsewhere.problem(DATABASE, noon) or "")
    assert other and other.problem(DATABASE, noon) == "it was made for the user admin"


def test_a_json_web_token_tells_its_end() -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"exp": 100}).encode()).rstrip(b"=")
    token = read_token(b"eyJhbGciOiJub25lIn0." + claims + b".sig")
    assert token and token.problem(DATABASE, 101) == "it expired at 1970-01-01 00:01:40 UTC"


def test_broken_tokens_are_known_by_their_form_alone() -> None:
    for broken in (b"x/?X-Amz-Signature=1", b"eyJ.%%%.x", b"eyJ.e30.x", b"ya29.abc"):
        token = read_token(broken)
        assert token and token.problem(DATABASE) is None


def test_a_password_is_no_token() -> None:
    for password in (b"secret", b"eyJust a word", "pässword".encode(), b"\xff", b"x" * 100000):
        assert read_token(password) is None
