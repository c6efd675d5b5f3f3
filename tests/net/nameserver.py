"""A name server on loopback that says what a test wants; the messages are dnspython's. UDP and TCP on one port.

A real server can't be made to say SERVFAIL, REFUSED or nothing at will, one question at a time.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Mapping

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

#: A question is (name with its final dot, "A" or "AAAA"); an answer is a list of records, "A 203.0.113.2" or
#: "CNAME gone.example.", or one word: NXDOMAIN, SERVFAIL, REFUSED, NOTIMP, SILENCE, TRUNCATED (over UDP), GARBAGE,
#: OTHER ID (the answer to another question), ONLY UDP (truncated, and TCP is silent), CHAIN (of CNAMEs, without end).
Script = Mapping[tuple[str, str], "list[str] | str"]


def _pair(address: str, port: int) -> tuple[socket.socket, socket.socket]:
    """UDP and TCP on the same port; with *port* 0 on one that is free for both."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    while True:
        udp = socket.socket(family, socket.SOCK_DGRAM)
        try:
            udp.bind((address, port))
            return udp, socket.create_server(udp.getsockname()[:2], family=family)
        except OSError:
            udp.close()
            if port:
                raise


class ScriptedNameServer:
    """Serves until closed. What the script does not name does not exist; a name with one family has no other."""

    def __init__(self, script: Script, address: str = "127.0.0.1", port: int = 0) -> None:
        self.script = dict(script)
        self.asked: list[tuple[str, str]] = []
        self._udp, self._tcp = _pair(address, port)
        self.address, self.port = self._udp.getsockname()[:2]
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._serve_udp, self._serve_tcp)]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        for sock in (self._udp, self._tcp):
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        for thread in self._threads:
            thread.join(5)

    def _serve_udp(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                data, peer = self._udp.recvfrom(4096)
                if not data:
                    return
                if reply := self._reply(data, over_udp=True):
                    self._udp.sendto(reply, peer)

    def _serve_tcp(self) -> None:
        with contextlib.suppress(OSError, struct.error):
            while True:
                client, _ = self._tcp.accept()
                with client, contextlib.suppress(struct.error):
                    while True:  # glibc asks for both families on one connection
                        size = struct.unpack("!H", client.recv(2))[0]
                        reply = self._reply(client.recv(size), over_udp=False)
                        if reply is None:
                            break
                        client.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, data: bytes, over_udp: bool) -> bytes | None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, family = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, family))
        answer = self.script.get((name, family))
        if answer is None:
            answer = [] if any(known == name for known, _ in self.script) else "NXDOMAIN"
        if answer == "SILENCE":
            return None
        if answer == "GARBAGE":
            return data[:2] + b"\x81\x80\x00\x01"
        if answer == "OTHER ID":
            return bytes(each ^ 0x55 for each in data[:2]) + dns.message.make_response(query).to_wire()[2:]
        if answer == "ONLY UDP" and not over_udp:
            return None
        if answer == "CHAIN":
            labels = [name, *(f"{number}.{name}" for number in range(60))]
            answer = [f"CNAME {label}" for label in [*labels[1:], name]]
        response = dns.message.make_response(query, recursion_available=True)
        if answer in ("TRUNCATED", "ONLY UDP") or (isinstance(answer, list) and answer[:1] == ["TRUNCATED"]):
            answer = answer[1:] if isinstance(answer, list) else []
            if over_udp:
                response.flags |= dns.flags.TC
                return response.to_wire()
        if isinstance(answer, str):
            alias = self.script.get((name, "ALIAS"), [])
            self._fill(response, question.name, list(alias))
            response.set_rcode(dns.rcode.from_text(answer))
        else:
            self._fill(response, question.name, answer)
        return response.to_wire()

    @staticmethod
    def _fill(response: dns.message.Message, owner: dns.name.Name, records: list[str]) -> None:
        for record in records:
            kind, _, value = record.partition(" ")
            response.answer.append(dns.rrset.from_text(owner, 60, "IN", kind, value))
            if kind == "CNAME":
                owner = dns.name.from_text(value)
