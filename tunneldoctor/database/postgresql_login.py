"""The login of one PostgreSQL connection: what the server asks for, step by step."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, cast

from tunneldoctor.database import postgresql_messages as messages
from tunneldoctor.database import scram
from tunneldoctor.database.conversation import Garbled
from tunneldoctor.database.postgresql_refusals import classify, refusal
from tunneldoctor.database.trouble import DatabaseTrouble, Reason, Trouble
from tunneldoctor.model import Evidence

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunneldoctor.database.session import Password, Prepared
    from tunneldoctor.database.trouble import LoginRefusal

#: Authentication requests (libpq/auth.h: AUTH_REQ_*) that are answered here, and those that are named.
_OK, _CLEARTEXT, _MD5, _SASL, _SASL_CONTINUE, _SASL_FINAL = 0, 3, 5, 10, 11, 12
#: What libpq's ``channel_binding=require`` does not put up with (fe-auth.c, check_expected_areq).
_UNBOUND = {_OK: "nothing", _CLEARTEXT: "the password in clear", _MD5: "an MD5 of the password"}
_NAMED = {2: "Kerberos 5", 4: "crypt", 6: "SCM credentials", 7: "GSSAPI (Kerberos)", 9: "SSPI"}
_MOST_MESSAGES = 200
_MOST_PARAMETERS = 100


class Login:
    """One try. ``stage`` says how far it is, ``parameters`` what the server announced.

    ``proven`` is True between the server's SCRAM proof and its word that the login is done.
    """

    def __init__(self, prepared: Prepared, password: Password) -> None:
        self._prepared = prepared
        self._wire = prepared.wire
        self._password = password
        self._scram: scram.Scram | None = None
        self._sent = False
        self._accepted = False
        self._insists = _option(prepared, "channel_binding") == "require"
        self.stage = "the startup message"
        self.proven = False
        self.parameters: dict[str, str] = {}

    def run(self, startup: Mapping[str, str]) -> None:
        """Until the server is ready for a query. Raises DatabaseTrouble, and what the wire raises."""
        if self._prepared.opening is None:
            self._wire.send(messages.startup(startup))
        else:
            self._take(cast("messages.Message", self._prepared.opening))
        for _ in range(_MOST_MESSAGES):
            if self._take(messages.read(self._wire)):
                return
        raise Garbled(b"")

    def _take(self, message: messages.Message) -> bool:
        """Deal with one message; True when the server is ready."""
        if message.kind == b"E":
            raise DatabaseTrouble(classify(self._refused(message.body)))
        if message.kind == b"R":
            self._authenticate(message.body)
        elif message.kind == b"S" and len(self.parameters) < _MOST_PARAMETERS:
            name, value = messages.text_pair(message.body)
            self.parameters[name] = value
        elif message.kind == b"v":
            raise Garbled(b"v" + message.body[:32])
        return message.kind == b"Z"

    def _authenticate(self, body: bytes) -> None:
        kind, data = int.from_bytes(body[:4], "big"), body[4:]
        if self._insists and not self.proven and kind in _UNBOUND:
            raise DatabaseTrouble(_unsupported(f"{_UNBOUND[kind]}, which channel_binding=require rules out"))
        if kind == _OK:
            self._accepted, self.proven, self.stage = True, False, "the login"
        elif kind == _CLEARTEXT:
            self._wire.send(messages.password(self._ask("cleartext")))
        elif kind == _MD5 and len(data) >= 4:
            self._wire.send(messages.password(self._md5(self._ask("md5"), data[:4])))
        elif kind == _SASL:
            self._start_scram(data.rstrip(b"\0").split(b"\0"))
        elif kind == _SASL_CONTINUE and self._scram:
            self._continue_scram(self._scram, data)
        elif kind == _SASL_FINAL and self._scram:
            self._finish_scram(self._scram, data)
        else:
            raise DatabaseTrouble(_unsupported(_NAMED.get(kind, f"authentication request {kind}")))

    def _ask(self, method: str) -> bytes:
        password = self._password(method)
        self._sent = True
        self.stage = "the password"
        return password

    def _md5(self, password: bytes, salt: bytes) -> bytes:
        """``md5`` + md5(md5(password + user) + salt) (PostgreSQL, "Protocol Flow", AuthenticationMD5Password)."""
        inner = hashlib.md5(password + (self._prepared.database.user or "").encode(), usedforsecurity=False)
        outer = hashlib.md5(inner.hexdigest().encode() + salt, usedforsecurity=False)
        return b"md5" + outer.hexdigest().encode()

    def _start_scram(self, offered: list[bytes]) -> None:
        names = {name.decode("latin-1") for name in offered[:20]}
        binding = self._binding() if scram.PLUS in names else None
        if binding is None and scram.PLAIN not in names:
            raise DatabaseTrouble(_unsupported(", ".join(sorted(names))))
        if binding is None and self._insists:
            raise DatabaseTrouble(_unsupported(f"{', '.join(sorted(names))}, which channel_binding=require rules out"))
        could = self._binding() is not None
        self._scram = scram.Scram(self._ask(scram.PLAIN.lower()), binding, could_bind=could and binding is None)
        self._wire.send(messages.sasl_first(self._scram.mechanism, self._scram.first()))

    def _continue_scram(self, exchange: scram.Scram, data: bytes) -> None:
        try:
            self._wire.send(messages.write(b"p", exchange.final(data)))
        except scram.ScramError as error:
            raise DatabaseTrouble(_dishonest(str(error))) from error

    def _finish_scram(self, exchange: scram.Scram, data: bytes) -> None:
        try:
            exchange.check(data)
        except scram.ScramError as error:
            raise DatabaseTrouble(_dishonest(str(error))) from error
        self.proven = True

    def _binding(self) -> bytes | None:
        """``tls-server-end-point``: the hash of the leaf, by the certificate's own digest (RFC 5929 §4.1)."""
        tls = self._prepared.tls
        if tls is None or _option(self._prepared, "channel_binding") == "disable":
            return None
        from cryptography.hazmat.primitives import hashes

        try:
            used = tls.leaf.signature_hash_algorithm
        except ValueError:
            return None
        if used is None:  # Ed25519 names no digest, and PostgreSQL offers no binding with it
            return None
        weak = isinstance(used, hashes.MD5 | hashes.SHA1)
        return tls.leaf.fingerprint(hashes.SHA256() if weak else used)

    def _refused(self, body: bytes) -> LoginRefusal:
        return refusal(
            body,
            password_sent=self._sent,
            authenticated=self._accepted,
            proven=self.proven,
            encrypted=self._prepared.encrypted,
            client_certificate=bool(self._prepared.tls and self._prepared.tls.presented),
        )


def _option(prepared: Prepared, name: str) -> str | None:
    return prepared.database.options.get(name)


def _unsupported(method: str) -> Trouble:
    return Trouble(Reason.AUTH_METHOD_UNSUPPORTED, {"method": method}, (Evidence("list", f"asked for: {method}"),))


def _dishonest(why: str) -> Trouble:
    return Trouble(Reason.UNCLASSIFIED, {"detail": why}, (Evidence("message", f"SCRAM: {why}"),))
