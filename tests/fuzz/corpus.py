"""What the fuzz run starts from: real keys, certificates, lines and greetings, made or recorded when it begins."""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures import keys
from fixtures.lab.sshd import find_sshd
from tests.fuzz.readers import HOST, PORT
from tests.report.scenarios import SCENARIOS
from tests.ssh.key_shapes import SHAPES, make_keys
from tunneldoctor.bastion.judge import JUDGES
from tunneldoctor.bastion.subject import Subject, script_about
from tunneldoctor.model import Address, CheckFinished, Fleet, RunFinished
from tunneldoctor.report import event_line, fleet_json, report_json
from tunneldoctor.ssh.host_patterns import hashed

if TYPE_CHECKING:
    from collections.abc import Iterator

_GREETINGS = (
    b"SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u7\r\n",
    b"SSH-2.0-dropbear_2022.83\r\n",
    b"SSH-1.99-Cisco-1.25\n",
    b"SSH-1.5-OpenSSH_2.1\n",
    b"Authorised use only.\r\nEverything is logged.\r\nSSH-2.0-x comment here\r\n",
    b"Exceeded MaxStartups\r\n",
    b"Not allowed at this time\r\n",
    b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    b"\x15\x03\x01\x00\x02\x02\x46",
    b"E\x00\x00\x00\x74SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol\x00\x00",
    b"J\x00\x00\x00\x0a8.0.36\x00\x08\x00\x00\x00",
    b"-ERR unknown command\r\n",
    b"220 mail.example.com ESMTP Postfix\r\n",
    b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\nSSH-2.0-x\r\n",
)
_WORDS = (
    b"/home/t/.ssh/authorized_keys:1: key options: agent-forwarding port-forwarding pty user-rc x11-forwarding",
    b"/home/t/.ssh/authorized_keys:2: key options: permitopen command user-rc\ncert: key options: port-forwarding",
    b"Your host '203.0.113.1' is not permitted to use this key for login.",
    b"Your address '2001:db8::1' is not permitted to use this certificate for login",
    b"Authentication refused: bad ownership or modes for directory /home/t",
    b"/home/t/.ssh/authorized_keys:3: entry expired at 20200101T0000",
    b"Certificate invalid: expired\nCertificate lacks principal list",
    b"connect failed: Connection refused\nopen failed: Name or service not known\n[Errno 113]",
)
_SSH_CONFIG = b"""Include conf.d/*.conf
IgnoreUnknown Foo*
Host db.example.com *.example.com !not.example.com
    HostName %h
    Port=2222
    User "the user"
    IdentityFile ~/.ssh/id_%r
    IdentityFile ~/.ssh/id_ed25519
    ProxyJump a@one,ssh://b@two:22
    LocalForward 5432 db:5432
    LocalForward [::1]:1 [2001:db8::1]:5432
    CanonicalizeHostname yes
Match host db* user root originalhost "db.example.com"
    HostKeyAlias alias
    SetEnv A=b C="d e"
Match final all
    ServerAliveInterval 30
Host *
    UserKnownHostsFile ~/.ssh/a ~/.ssh/b
    ProxyCommand ssh -W %h:%p jump
"""


def _string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


_ARGON2 = b"Key-Derivation: Argon2id\nArgon2-Memory: 8192\nArgon2-Passes: 13\nArgon2-Parallelism: 1\nArgon2-Salt: 00\n"
_MESSAGES = (
    b"\x01\0\0\0\x02" + _string(b"Too many authentication failures") + _string(b""),
    b"\x04\x01" + _string(b"key options: pty") + _string(b""),
    b"\x07\0\0\0\x02" + _string(b"server-sig-algs") + _string(b"ssh-ed25519,rsa-sha2-256") + _string(b"x") * 2,
    b"\x33" + _string(b"publickey,password,keyboard-interactive") + b"\x01",
    b"\x35" + _string(b"WARNING: Your password has expired.\r\n") + _string(b""),
    b"\x3c" + _string(b"n") + _string(b"i") + _string(b"") + b"\0\0\0\x02" + (_string(b"Code: ") + b"\0") * 2,
    b"\x3c" + _string(b"Change it") + _string(b""),
    b"\x52",
    b"\x5c\0\0\0\0\0\0\0\x01" + _string(b"open failed") + _string(b""),
)


def corpus(folder: Path) -> dict[str, list[bytes]]:
    """Seeds for each reader, by its name; *folder* is for the programs that make them."""
    private, certificates = _private_keys(folder), _certificates()
    lines = _known_hosts()
    recorded = list(_recorded(folder))
    return {
        "key": [*private, *certificates[:1]],
        "certificate": [*certificates, *lines[:1], private[0]],
        "known_hosts": [*lines, b"".join(lines)],
        "host key": [*_own_host_keys(), *lines],
        "identification": [*_GREETINGS, *recorded],
        "KEXINIT": [*recorded, *(stream.partition(b"\n")[2][5:] for stream in recorded), *_MESSAGES[:3]],
        "messages": list(_MESSAGES),
        "texts": list(_WORDS),
        "ssh_config": [_SSH_CONFIG],
        "evidence": _evidence(certificates[0]),
        "saved": _saved(),
    }


def _private_keys(folder: Path) -> list[bytes]:
    """Every format; few of RSA, which takes a tenth of a second to check, and those short."""
    made = {name: key for name, key in make_keys(folder).items() if "rsa" not in name}
    short = keys.make("rsa1024")
    made |= {f"short {form}": keys.encoded(short, form) for form in ("openssh", "pkcs8", "pem")}
    made |= {"dsa": keys.encoded(keys.make("dsa"), "pem"), "koblitz": keys.encoded(keys.make("secp256k1"), "pem")}
    putty = keys.putty().replace(b"Encryption: none", b"Encryption: aes256-cbc")
    made["putty-locked"] = putty.replace(b"Private-Lines", _ARGON2 + b"Private-Lines")
    plain = made["openssh-ed25519"]
    shaped = [shape(plain) for shape in SHAPES.values()]
    damaged = [damage(plain) for damage in keys.DAMAGES.values()]
    return [*made.values(), *shaped, *damaged, b"~/.ssh/id_ed25519", keys.public_line(short).encode()]


def _certificates() -> list[bytes]:
    authority, key = keys.make(), keys.make()
    made = [
        keys.certificate(key, authority, principals=["tunnel"]),
        keys.certificate(keys.make("ecdsa"), keys.make("ecdsa384"), principals=[], seconds=(-9000, -1000)),
        keys.certificate(keys.make("rsa1024"), authority, principals=["a", "b"], extensions=()),
        keys.certificate(key, keys.make("rsa"), principals=["x"], options=(("source-address", "192.0.2.0/24"),)),
        keys.certificate(key, authority, principals=[HOST], host=True),
    ]
    return [line.encode() + b"\n" for line in made]


def _known_hosts() -> list[bytes]:
    key = " ".join(keys.public_line(keys.make()).split()[:2])
    long = " ".join(keys.public_line(keys.make("rsa1024")).split()[:2])
    name = f"[{HOST}]:{PORT}"
    lines = [
        f"{name},192.0.2.1 {key} comment", f"{hashed(name)} {key}", f"{HOST} {long}", f"@revoked * {key}",
        f"@cert-authority *.example.com,!bad.example.com {key}", f"*.exam?le.com {long}", "# a comment", "",
        f"{name} 1024 35 12345678901234567890", f"|1|AAAA|BBBB {key}", f"{name} ssh-ed25519", f"@other x {key}",
        f"\ufeff{name} {key}", f"{name} {key}".encode("utf-16").decode("latin-1"),
    ]  # fmt: skip
    return [line.encode() + b"\n" for line in lines]


def _own_host_keys() -> list[bytes]:
    """A line whose key is the one that the server presents: as it is, revoked, and as a certificate."""
    authority, key = keys.make(), keys.make("ecdsa")
    trusted, public = keys.public_line(authority), keys.public_line(key)
    certificate = keys.certificate(key, authority, principals=[HOST], host=True)
    name = f"[{HOST}]:{PORT}"
    presented = f"presented {certificate.split()[1]}"
    return [
        f"{text}\n".encode()
        for text in (
            f"{name} {public.split()[1]}\n{name} {public}",
            f"{name} {public.split()[1]}\n@revoked * {public}",
            f"{presented}\n@cert-authority {name} {trusted}",
            f"{presented}\n@cert-authority {name} {trusted}\n@revoked * {trusted}",
        )
    ]


def _saved() -> list[bytes]:
    """A report of each kind, a fleet of two, and a stream that ends with a report."""
    reports = [SCENARIOS[name]() for name in ("degraded", "symptom", "interrupted")]
    fleet = Fleet.of(reports[:2], reports[0].started_at, reports[0].finished_at)
    lines = [CheckFinished(1.0, reports[1].checks[0]), RunFinished(2.0, reports[1])]
    return [
        *(report_json(report).encode() for report in reports),
        fleet_json(fleet).encode(),
        "".join(map(event_line, lines)).encode(),
    ]


def _evidence(certificate: bytes) -> list[bytes]:
    """A look at this very machine, as if each of the things that it can explain had happened here."""
    subject = Subject(
        "{symptom}",
        pwd.getpwuid(os.geteuid()).pw_name,
        port=22,
        address="192.0.2.1",
        key=keys.public_line(keys.make()),
        certificate=certificate.decode(),
        target=Address("127.0.0.1", 5432),
    )
    script = script_about(subject).encode()
    seen = subprocess.run(["sh"], input=script, capture_output=True, timeout=60, check=False).stdout
    return [seen.replace(b"{symptom}", symptom.encode()) for symptom in JUDGES]


def _recorded(folder: Path) -> Iterator[bytes]:
    """Greeting and KEXINIT of each kind of server that is installed."""
    key = folder / "host"
    keys.write(key, keys.encoded(keys.make()))
    if sshd := find_sshd():
        config = folder / "sshd_config"
        for line in ("", "KexAlgorithms diffie-hellman-group1-sha1\nCiphers 3des-cbc\nMACs hmac-md5"):
            config.write_text(f"HostKey {key}\nPidFile none\nUsePAM no\n{line}\n")
            yield _from_inetd([sshd, "-i", "-f", str(config)])
    dropbear = shutil.which("dropbear", path="/usr/sbin:/usr/bin")
    if dropbear and shutil.which("dropbearconvert"):
        command = ["dropbearconvert", "openssh", "dropbear", str(key), str(folder / "dropbear")]
        subprocess.run(command, check=True, capture_output=True)
        yield _from_inetd([dropbear, "-i", "-r", str(folder / "dropbear")])
    yield asyncio.run(_from_asyncssh(key))


def _from_inetd(command: list[str]) -> bytes:
    """What a server says that is started for one connection on its standard input and output."""
    ours, theirs = socket.socketpair()
    with (
        ours,
        subprocess.Popen(command, stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=subprocess.DEVNULL) as process,
    ):
        theirs.close()
        ours.settimeout(10)
        ours.sendall(b"SSH-2.0-fuzz\r\n")
        with contextlib.closing(ours.makefile("rb")) as stream:
            greeting = stream.readline()
            head = stream.read(4)
            packet = head + stream.read(int.from_bytes(head, "big"))
        process.terminate()
    return greeting + packet


async def _from_asyncssh(key: Path) -> bytes:
    import asyncssh

    async with asyncssh.listen("127.0.0.1", 0, server_host_keys=[str(key)]) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.get_port())
        writer.write(b"SSH-2.0-fuzz\r\n")
        greeting = await reader.readline()
        head = await reader.readexactly(4)
        packet = head + await reader.readexactly(int.from_bytes(head, "big"))
        writer.close()
        await writer.wait_closed()
    return greeting + packet
