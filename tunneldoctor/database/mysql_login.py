"""The login of one MySQL or MariaDB connection, whatever method the account's password is checked by.

Every connection is seen through to the server's word on a login: one that is broken off before that counts against
``max_connect_errors``, and at the hundredth the server shuts out the bastion, with everybody behind it (error 1129).
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NoReturn

from tunneldoctor.database import mysql_messages as messages
from tunneldoctor.database import mysql_methods as methods
from tunneldoctor.database.mysql_refusals import classify, refusal, unsupported
from tunneldoctor.database.trouble import DatabaseTrouble, LoginRefusal, Reason, Withheld
from tunneldoctor.database.wire import Ended, TlsError

if TYPE_CHECKING:
    from tunneldoctor.database.mysql_messages import Greeting, Packets
    from tunneldoctor.database.session import Password, Prepared

_NATIVE, _CACHING, _ED25519 = "mysql_native_password", "caching_sha2_password", "client_ed25519"
_SHA256, _CLEAR, _DIALOG = "sha256_password", "mysql_clear_password", "dialog"
_PROVEN = {_NATIVE: methods.native, _CACHING: methods.caching_sha2, _ED25519: methods.ed25519}
#: What the password callable is told where the password itself goes out.
_IN_CLEAR = "cleartext"
#: Packets of one login.
_MOST_PACKETS = 20
#: Who logs in on a connection that is given up, where the user's own name is not to be sent or not to be counted
#: against. No account is called so, and an anonymous one does no harm.
NOBODY = "tunneldoctor"
#: caching_sha2_password: the password itself is due, as nothing is cached.
_FULL = b"\x04"
#: How each method asks the server for its public key.
_KEY_PLEASE = {_CACHING: b"\x02", _SHA256: b"\x01"}
#: The options of Connector/J and of the mysql client to take whatever key the server sends.
_ANY_KEY = {"allowpublickeyretrieval", "getserverpublickey"}
#: How the dialog plugin's questions for a password begin: one of several, the last one; and no question at all, where
#: PAM keeps what comes for its first one (plugin/auth_pam/auth_pam_v1.c).
_FOR_A_PASSWORD = (b"\x04", b"\x05", b"")
#: An answer of the right length that proves nothing: for others MariaDB counts a broken handshake.
_NOTHING = {_NATIVE: b"", _ED25519: bytes(64)}


class Login:
    """One try."""

    def __init__(self, prepared: Prepared, greeting: Greeting, packets: Packets, password: Password) -> None:
        self._prepared = prepared
        self._greeting = greeting
        self._packets = packets
        self._password = password
        self._salt = greeting.salt
        self._method = _CACHING if greeting.method == _CACHING else _NATIVE
        self._secret = b""
        self._missing: Withheld | None = None

    def run(self) -> None:
        """Until the server says that we are in. Raises DatabaseTrouble, and what wire and password raise."""
        try:
            self._secret = self._ask(self._method)
        except Exception:
            leave(self._packets, self._greeting, encrypted=self._prepared.encrypted)
            raise
        database = self._prepared.database
        flags = messages.flags_for(self._greeting, database=bool(database.name), encrypt=self._prepared.encrypted)
        self._packets.send(messages.login(flags, database.user or "", self._proof(), database.name, self._method))
        for _ in range(_MOST_PACKETS):
            if self._take(self._packets.read()):
                return
        raise messages.Garbled(b"", "a login without an end")

    def _ask(self, method: str) -> bytes:
        """The password for *method*; an empty one where none was given, as clients do: the account may have none."""
        try:
            return self._password(method)
        except Withheld as error:
            if error.reason is not Reason.PASSWORD_MISSING:
                raise
            self._missing = error
            return b""

    def _take(self, body: bytes) -> bool:
        """Deal with one packet; True when the login is done."""
        kind = body[0] if body else None
        if kind == messages.ERROR:
            raise self._refused(body)
        if kind == messages.SWITCH:
            self._method, data = messages.switch(body)
            self._switched(data)
        elif kind == messages.MORE and self._method == _CACHING:
            if body[1:] == _FULL:
                self._whole()
        elif kind != messages.OK:
            self._unsupported(f"{self._method}, which asks for more than a password")
        return kind == messages.OK

    def _refused(self, body: bytes) -> Exception:
        seen = self._seen(messages.error(body))
        trouble = classify(seen, decoys=self._greeting.is_mariadb)
        return self._missing if self._missing and trouble.reason is Reason.LOGIN_REFUSED else DatabaseTrouble(trouble)

    def _seen(self, said: messages.ServerError) -> LoginRefusal:
        tls = self._prepared.tls
        presented = bool(tls and tls.presented)
        sent = bool(self._secret)
        return refusal(said, password_sent=sent, encrypted=tls is not None, client_certificate=presented)

    def _switched(self, data: bytes) -> None:
        """The account has another method than the server's default, with a salt of its own."""
        if self._method in _PROVEN:
            self._salt = data[:32] if self._method == _ED25519 else data[:20]
            self._packets.send(self._proof())
        elif self._method == _SHA256:
            self._salt = data[:20]
            self._whole()
        elif self._method == _CLEAR:
            self._in_clear(_CLEAR)
        elif self._method == _DIALOG and data[:1] in _FOR_A_PASSWORD:
            self._in_clear(_IN_CLEAR)
        else:
            self._unsupported(self._method)

    def _proof(self) -> bytes:
        try:
            return _PROVEN[self._method](self._secret, self._salt)
        except methods.Unusable as error:
            self._unsupported(f"{self._method}: {error}")

    def _whole(self) -> None:
        """The password itself: within TLS, else under the server's own key if the client asks for that."""
        if not self._secret:
            self._packets.send(_nothing(self._method))
        elif self._prepared.encrypted:
            self._in_clear(_IN_CLEAR)
        elif _takes_any_key(self._prepared):
            self._under_key()
        else:
            self._unsupported(f"{self._method}, which sends the password itself, and there is no TLS for that")

    def _in_clear(self, method: str) -> None:
        try:
            secret = self._ask(method)
        except Exception:
            _end(self._packets, _nothing(self._method))
            raise
        self._packets.send(secret + b"\0")

    def _under_key(self) -> None:
        self._packets.send(_KEY_PLEASE[self._method])
        key = self._packets.read()
        if key[:1] != bytes([messages.MORE]):
            raise messages.Garbled(key[:64], "no public key where one is due")
        try:
            self._packets.send(methods.under_key(self._secret, self._salt, key[1:]))
        except methods.Unusable as error:
            self._unsupported(f"{self._method}: {error}")

    def _unsupported(self, method: str) -> NoReturn:
        said = _end(self._packets, _nothing(self._method))
        raise DatabaseTrouble(unsupported(method, self._seen(said), decoys=self._greeting.is_mariadb))


def leave(packets: Packets, greeting: Greeting, *, encrypted: bool) -> None:
    """End a connection on which the user's own login can't be: as nobody, without a password."""
    flags = messages.flags_for(greeting, database=False, encrypt=encrypted)
    _end(packets, messages.login(flags, NOBODY, b"", None, _NATIVE))


def _end(packets: Packets, words: bytes) -> messages.ServerError:
    """Send *words*, prove nothing, and read on until the server's verdict; should that let us in, say goodbye."""
    with contextlib.suppress(Ended, TimeoutError, TlsError, messages.Garbled):
        packets.send(words)
        for _ in range(_MOST_PACKETS):
            body = packets.read()
            if body[:1] == bytes([messages.ERROR]):
                return messages.error(body)
            if body[:1] == bytes([messages.OK]):
                packets.wire.send(messages.GOODBYE)
                break
            if body[:1] == bytes([messages.SWITCH]):
                packets.send(_nothing(messages.switch(body)[0]))
            elif body[:1] != bytes([messages.MORE]):
                packets.send(b"\0")
    return messages.ServerError(0, "", "no verdict")


def _nothing(method: str) -> bytes:
    return _NOTHING.get(method, b"\0")


def _takes_any_key(prepared: Prepared) -> bool:
    options = prepared.database.options.items()
    said = {name.replace("-", "").replace("_", "").lower(): value.lower() for name, value in options}
    return any(said.get(name) in ("true", "1", "yes", "on", "") for name in _ANY_KEY)
