"""One login, one try at a time: a signature or a password sent at once, and the server's answer in full (RFC 4252)."""

from __future__ import annotations

import queue
import re
import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import paramiko
from paramiko.message import Message

from tunneldoctor.model import Secret
from tunneldoctor.ssh.algorithms import signature_algorithm
from tunneldoctor.ssh.heard import AuthReply
from tunneldoctor.ssh.paramiko_overrides import Peer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tunneldoctor.ssh.recording import End

_SERVICE_REQUEST, _USERAUTH_REQUEST, _INFO_RESPONSE = 5, 50, 61
_SERVICE = "ssh-connection"
#: How a password is spoken of, and by what name the manners of a run know its login again.
PASSWORD = "the password"
#: Most questions that are listened to in one round of keyboard-interactive.
_MOST_PROMPTS = 16
#: A question that a password does not answer: a code of some device (pam_oath, pam_google_authenticator, Duo).
_CODE = re.compile(r"code|one.?time|\botp\b|token|factor|\bpin\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Refusal:
    """A login that did not succeed.

    ``kind``: ``refused``; ``partial`` (this was right, more is asked for); ``prompts`` (the server asks what no
    program can answer: ``text`` holds the questions); ``password-change``; ``closed`` (hung up instead of an answer);
    ``no-service`` (hung up before); ``stalled`` (no answer in time); ``agent`` (the agent did not sign: ``text``).

    ``method`` and ``algorithm`` are what was tried, ``methods`` what the server still offers, the rest what it said
    on the connection so far.
    """

    kind: str
    method: str
    algorithm: str = ""
    methods: tuple[str, ...] = ()
    text: str = ""
    seconds: float = 0.0
    end: End | None = None
    disconnect: tuple[int, str] | None = None
    debug_messages: tuple[str, ...] = ()
    auth_banners: tuple[str, ...] = ()

    @property
    def partial(self) -> bool:
        """True where what was tried was right and not enough."""
        return self.kind == "partial"

    @property
    def too_many_tries(self) -> bool:
        """True where sshd hung up because this was one refused try too many (auth.c, ``auth_maxtries_exceeded``)."""
        return self.disconnect is not None and "too many authentication failures" in self.disconnect[1].lower()

    @property
    def turned_down(self) -> bool:
        """True where the server said no to what was tried, in plain words or by reaching its limit of tries."""
        return self.kind == "refused" or self.too_many_tries


@dataclass(frozen=True, slots=True)
class Result:
    """How one try ended: ``success`` or a kind of :class:`Refusal`, the methods still offered, the server's words."""

    kind: str
    methods: tuple[str, ...] = ()
    text: str = ""


class Login:
    """The tries of one user on one connection; the service is asked for once, as strict servers want it.

    A key is signed with at once. Asking first whether it would do (RFC 4252 §7) tells nothing more: sshd looks at the
    key in the same way, and counts a no to the question as it counts a refused signature (auth2.c, userauth_finish).
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._asked_for_service = False

    def with_key(self, username: str, key: paramiko.PKey, timeout: float) -> tuple[str, Result]:
        """Sign and send at once. The algorithm used, and how it went."""
        deadline = time.monotonic() + timeout
        if failed := self._service(deadline):
            return "", failed
        algorithm, blob = self._algorithm(key)
        request: tuple[Any, ...] = (username, _SERVICE, "publickey", True, algorithm, blob)
        try:
            signature = _sign(key, self._to_sign(request), algorithm, deadline - time.monotonic())
        except _NotSigned as error:
            return algorithm, Result("agent", text=str(error))
        return algorithm, self._try((*request, signature), deadline)

    def with_password(self, username: str, password: Secret, method: str, timeout: float) -> Result:
        """Send the password, by ``password`` or as the answer to the one question of ``keyboard-interactive``."""
        deadline = time.monotonic() + timeout
        if failed := self._service(deadline):
            return failed
        if method == "password":
            return self._try((username, _SERVICE, method, False, password.reveal()), deadline)
        return self._try((username, _SERVICE, method, "", ""), deadline, password)

    def with_nothing(self, username: str, timeout: float) -> Result:
        """Ask what the server takes: ``none``, which as the first request counts as no try (RFC 4252 §5.2)."""
        deadline = time.monotonic() + timeout
        return self._service(deadline) or self._try((username, _SERVICE, "none"), deadline)

    def _service(self, deadline: float) -> Result | None:
        if not self._asked_for_service:
            self._asked_for_service = True
            self._peer.send(_SERVICE_REQUEST, "ssh-userauth")
        if self._peer.wait_for(lambda: self._peer.service_accepted, deadline - time.monotonic()):
            return None
        return Result("no-service" if self._peer.over.is_set() else "stalled")

    def _algorithm(self, key: paramiko.PKey) -> tuple[str, bytes]:
        key_type, body = public_part(key)
        return signature_algorithm(key_type, self._peer.heard.sig_algs), body

    def _to_sign(self, request: tuple[Any, ...]) -> bytes:
        message = Message()
        message.add_string(self._peer.session_id or b"")
        message.add_byte(bytes([_USERAUTH_REQUEST]))
        for each in request:
            if isinstance(each, bool):
                message.add_boolean(each)
            else:
                message.add_string(each)
        return message.asbytes()

    def _try(self, request: tuple[Any, ...], deadline: float, answer: Secret | None = None) -> Result:
        self._peer.auth_replies.clear()
        self._peer.send(_USERAUTH_REQUEST, *request)
        while reply := self._next_reply(deadline):
            if reply.kind != "60":
                return _result(reply)
            method = request[2]
            if method == "password":
                return Result("password-change", text=_shown(reply))
            if method == "keyboard-interactive":
                prompts = _prompts(reply)
                if len(prompts) > 1 or (prompts and (answer is None or _CODE.search(prompts[0]))):
                    return Result("prompts", text=" / ".join(prompts))
                self._peer.send(_INFO_RESPONSE, len(prompts), *([answer.reveal()] if prompts and answer else []))
                answer = None if prompts else answer
        return Result("closed" if self._peer.over.is_set() else "stalled")

    def _next_reply(self, deadline: float) -> AuthReply | None:
        replies = self._peer.auth_replies
        self._peer.wait_for(lambda: bool(replies), deadline - time.monotonic())
        return replies.popleft() if replies else None


def password_method(methods: Sequence[str]) -> str | None:
    """By which of the *methods* that a server offers a password can be sent; None for no way."""
    return next((method for method in ("password", "keyboard-interactive") if method in methods), None)


def public_part(key: paramiko.PKey) -> tuple[str, bytes]:
    """Type and wire form of what is offered: the certificate where there is one, in the key or in the agent."""
    if key.public_blob:
        return key.public_blob.key_type, key.public_blob.key_blob
    return key.get_name(), key.blob if isinstance(key, paramiko.AgentKey) else key.asbytes()


class _NotSigned(Exception):
    """The agent did not sign."""


def _sign(key: paramiko.PKey, data: bytes, algorithm: str, timeout: float) -> Any:
    if not isinstance(key, paramiko.AgentKey):
        return key.sign_ssh_data(data, algorithm)
    signed: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_ask_agent, args=(key, data, algorithm, signed), daemon=True).start()
    try:
        outcome = signed.get(timeout=max(0.0, timeout))
    except queue.Empty:
        raise _NotSigned("the agent did not answer in time; it may be waiting for a confirmation or a touch") from None
    if isinstance(outcome, Exception):
        raise _NotSigned(f"the agent would not sign: {outcome}") from outcome
    return outcome


def _ask_agent(key: paramiko.PKey, data: bytes, algorithm: str, signed: queue.SimpleQueue[Any]) -> None:
    try:
        signed.put(key.sign_ssh_data(data, algorithm))
    except Exception as error:  # whatever a broken agent makes paramiko raise, the caller is to hear of it
        signed.put(error)


def _result(reply: AuthReply) -> Result:
    if reply.kind == "success":
        return Result("success")
    return Result("partial" if reply.partial else "refused", reply.methods)


def _shown(reply: AuthReply) -> str:
    return reply.rest.get_binary()[:1000].decode("utf-8", "backslashreplace") if reply.rest else ""


def _prompts(reply: AuthReply) -> list[str]:
    """The questions of SSH_MSG_USERAUTH_INFO_REQUEST (RFC 4256 §3.2)."""
    if reply.rest is None:
        return []
    for _ in ("name", "instruction", "language"):
        reply.rest.get_binary()
    count = min(reply.rest.get_int(), _MOST_PROMPTS)
    prompts = []
    for _ in range(count):
        prompts.append(reply.rest.get_binary()[:200].decode("utf-8", "backslashreplace"))
        reply.rest.get_boolean()
    return prompts
