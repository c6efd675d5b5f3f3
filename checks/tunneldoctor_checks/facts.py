"""The facts that the built-in checks hand to each other; a company's own checks may need them too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Address, Database, Fact, Finding, Ruling

if TYPE_CHECKING:
    from tunneldoctor.database.session import Prepared, Session
    from tunneldoctor.database.trouble import LoginRefusal
    from tunneldoctor.net.connect import Trouble
    from tunneldoctor.net.stream import Stream
    from tunneldoctor.ssh.account import Account
    from tunneldoctor.ssh.identity import Identity
    from tunneldoctor.ssh.pins import Judgement, Pins
    from tunneldoctor.ssh.transport import HandshakeFailure, OpenFailure, Refusal, SlowHandshake, Transport

# config
ENDPOINT: Fact[Address] = Fact("endpoint")  # the hop's host and port, readable and complete
USERNAME: Fact[str] = Fact("username")  # who logs in on the hop
TARGET: Fact[Address] = Fact("target")  # the database as the bastion sees it
DATABASE: Fact[Database] = Fact("database")  # what the client's connection string asks for

# key
FILE_IDENTITIES: Fact[tuple[Identity, ...]] = Fact("file identities")  # bare keys from private_key; never empty
AGENT_IDENTITIES: Fact[tuple[Identity, ...]] = Fact("agent identities")  # what the agent offers; never empty
IDENTITIES: Fact[tuple[Identity, ...]] = Fact("identities")  # what can be offered to the hop, in order; never empty
CERTIFICATE_FAULTS: Fact[tuple[Ruling, ...]] = Fact("certificate faults")  # what it confirms of a refusal

# dns, tcp
LOOKUP_SLOW: Fact[float] = Fact("lookup slow", trouble=True)  # seconds that the system's resolver took for the name
ADDRESSES: Fact[tuple[str, ...]] = Fact("addresses")  # IP addresses of the first hop, in the resolver's order
STREAM: Fact[Stream] = Fact("stream")  # connected to the hop's SSH port
CANONICAL_NAME: Fact[str] = Fact("canonical name")  # what the first hop's name is an alias of
CONNECT_TROUBLE: Fact[Trouble] = Fact("connect trouble", trouble=True)  # slow at half time, or failed

# ssh, hostkey
PINS: Fact[Pins] = Fact("pins")  # what known_hosts or host_key pin for the hop
TRANSPORT: Fact[Transport] = Fact("transport")  # key exchange done, host key not yet judged
HANDSHAKE_FAILED: Fact[HandshakeFailure] = Fact("handshake failed", trouble=True)
HANDSHAKE_SLOW: Fact[SlowHandshake] = Fact("handshake slow", trouble=True)  # half its time gone, or ended wordless
HOST_KEY: Fact[Judgement] = Fact("host key")  # what the pins say about the key that was presented
TRUSTED: Fact[Transport] = Fact("trusted transport")  # the same transport, its host key verified

# auth, forward
SESSION: Fact[Transport] = Fact("session")  # the same transport, logged in
LOGIN_REFUSED: Fact[Refusal] = Fact("login refused", trouble=True)
CHANNEL: Fact[Stream] = Fact("channel")  # open to the database's port, nothing sent yet
FORWARD_REFUSED: Fact[OpenFailure] = Fact("forward refused", trouble=True)

# a look from the bastion
LOOK_WANTED: Fact[bool] = Fact("look wanted", trouble=True)  # a login, a forward or the database behind it failed
ADMIN: Fact[Account] = Fact("admin's account", trouble=True)  # logged in on the bastion, to look around there
LOOK_STAGE = "look"  # the stage that all these looks share: its deadline begins with the admin's login

# db
DB_READY: Fact[Prepared] = Fact("database ready")  # encrypted as far as asked for; ready for a login
DB_SESSION: Fact[Session] = Fact("database session")  # logged in
DB_LOGIN_REFUSED: Fact[LoginRefusal] = Fact("database login refused", trouble=True)
DB_FAULT: Fact[Finding] = Fact("database fault", trouble=True)  # one that a look from the bastion tells more about
