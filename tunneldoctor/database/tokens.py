"""Short-lived tokens that stand in for a password: whose they are, and what can be read in them without sending them.

AWS: rds/AuthTokenGenerator (a presigned URL without its scheme, good for 15 minutes). Microsoft Entra: a JSON Web
Token (RFC 7519). Google: an OAuth 2.0 access token.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from tunneldoctor.model import Database

_LONGEST = 16384


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. ``expires`` is seconds since the epoch, ``host`` the server it is for, or ""."""

    kind: str
    expires: float | None = None
    host: str = ""
    user: str = ""

    def problem(self, database: Database, now: float | None = None) -> str | None:
        """What is wrong with it for *database*, in words; None where nothing is to be seen."""
        moment = time.time() if now is None else now
        if self.expires is not None and self.expires < moment:
            return f"it expired at {datetime.fromtimestamp(self.expires, UTC):%Y-%m-%d %H:%M:%S} UTC"
        if self.host and self.host != f"{database.host}:{database.port}":
            return f"it was made for {self.host}, not for {database.host}:{database.port}"
        if self.user and self.user != database.user:
            return f"it was made for the user {self.user}"
        return None


def read_token(password: bytes) -> Token | None:
    """The token that *password* is, or None where it has the form of none."""
    if len(password) > _LONGEST or not password.isascii():
        return None
    text = password.decode().strip()
    if "X-Amz-Signature=" in text:
        return _aws(text)
    if text.startswith("eyJ") and text.count(".") == 2:
        return _jwt(text)
    return Token("a Google Cloud access token") if text.startswith("ya29.") else None


def _aws(text: str) -> Token:
    host, _, query = text.removeprefix("https://").partition("/?")
    fields = {name: values[0] for name, values in parse_qs(query).items()}
    kind = "an AWS IAM token"
    try:
        made = datetime.strptime(fields["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp()
        return Token(kind, made + int(fields["X-Amz-Expires"]), host[:300], fields.get("DBUser", "")[:100])
    except (KeyError, ValueError, OverflowError):
        return Token(kind)


def _jwt(text: str) -> Token:
    kind = "a Microsoft Entra token or another JSON Web Token"
    part = text.split(".")[1]
    try:
        claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
        return Token(kind, float(claims["exp"]))
    except (ValueError, TypeError, KeyError):
        return Token(kind)
