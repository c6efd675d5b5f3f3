"""Outputs of the script as a bastion with Debian 12 gives them, healthy but for what a test changes."""

from __future__ import annotations

from tunneldoctor.bastion.judge import JUDGES
from tunneldoctor.bastion.reading import Look, read
from tunneldoctor.bastion.sight import Judgement
from tunneldoctor.bastion.subject import Subject

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIPFaGeQFuUNPdlwlSxm9CbDwmXcWxK51lc6sOSgSAuMN"
FINGERPRINT = "SHA256:iev6ro9TKZXDTzzJwZeTfS6s9BH6fAogN0w7mNNBIa8"
FILE = "/home/tunnel/.ssh/authorized_keys"
SETTINGS = {
    "port": "22",
    "usepam": "yes",
    "strictmodes": "yes",
    "usedns": "no",
    "permitrootlogin": "without-password",
    "authorizedkeysfile": ".ssh/authorized_keys .ssh/authorized_keys2",
    "authorizedkeyscommand": "none",
    "authorizedprincipalsfile": "none",
    "trustedusercakeys": "none",
    "revokedkeys": "none",
    "chrootdirectory": "none",
    "requiredrsasize": "1024",
    "pubkeyacceptedalgorithms": "ssh-ed25519,rsa-sha2-512,rsa-sha2-256",
    "allowtcpforwarding": "yes",
    "disableforwarding": "no",
    "permitopen": "any",
}
ABOUT = {
    "symptom": "auth.publickey-refused",
    "tunnel": "orders",
    "host": "bastion.example.com",
    "port": "22",
    "user": "tunnel",
    "from": "203.0.113.7",
    "key": KEY,
    "algorithm": "ssh-ed25519",
    "certificate": "{certificate}",
    "database": "db.internal",
    "database_port": "5432",
}
#: Each section's lines and status.
SECTIONS: dict[str, tuple[str, int]] = {
    "self": ("root\n1795340000 2026-11-22T09:33:20", 0),
    "id": ("uid=1001(tunnel) gid=1001(tunnel) groups=1001(tunnel),1005(tunnels)", 0),
    "account": ("tunnel:1001:1001::/home/tunnel:/usr/sbin/nologin\n/home/tunnel", 0),
    "shadow": ("password none changed 20000 maximum 99999 expires", 0),
    "shell": ("-rwxr-xr-x 1 root root 14664 Jan  5  2023 /usr/sbin/nologin", 0),
    "nologin": ("ls: cannot access '/etc/nologin': No such file or directory", 2),
    f"path {FILE}": (
        f"drwxr-xr-x 18 0 0 4096 Nov  1 10:00 /\n"
        f"drwxr-xr-x 5 0 0 4096 Nov  1 10:00 /home\n"
        f"drwxr-x--- 4 1001 1001 4096 Nov  1 10:00 /home/tunnel\n"
        f"drwx------ 2 1001 1001 4096 Nov  1 10:00 /home/tunnel/.ssh\n"
        f"-rw------- 1 1001 1001 103 Nov  1 10:00 {FILE}",
        0,
    ),
    f"keys {FILE}": (f"1 ours 256 {FINGERPRINT} orders pipeline (ED25519) options: restrict,port-forwarding", 0),
    f"path {FILE}2": (f"ls: cannot access '{FILE}2': No such file or directory\ndrwxr-xr-x 18 0 0 4096 Nov  1 /", 0),
    f"keys {FILE}2": (f"cat: {FILE}2: No such file or directory", 1),
    "selinux": ("sh: 1: getenforce: not found\nsh: 1: ausearch: not found", 0),
    "log": ("", 0),
    "firewall": ("", 1),
    "dns": ("192.0.2.20      db.internal", 0),
    "connect": ("", 0),
}


def output(
    about: dict[str, str] | None = None, settings: dict[str, str] | None = None, **changes: str | tuple[str, int]
) -> str:
    """The whole output. *settings* with an empty value are left out; *changes* are sections, ``keys`` and ``path`` for
    those of the usual file."""
    sections = dict(SECTIONS)
    lines = [f"{name} {value}" for name, value in {**SETTINGS, **(settings or {})}.items() if value]
    banner = ["/usr/sbin/sshd", "1 listening", "OpenSSH_9.2, OpenSSL 3", "OpenSSH_9.2p1 Debian-2+deb12u7, OpenSSL 3"]
    sections["sshd"] = ("\n".join([*banner, *lines]), 0)
    for name, value in changes.items():
        title = f"{name} {FILE}" if name in ("keys", "path") else name.replace("__", " ")
        sections[title] = value if isinstance(value, tuple) else (value, 0)
    text = "=== about: the tunnel\n"
    text += "".join(f"| {name} {value}\n" for name, value in {**ABOUT, **(about or {})}.items())
    for title, (content, status) in sections.items():
        body = "".join(f"| {line}\n" for line in content.splitlines())
        text += f"=== {title}: the command\n{body}| status {status}\n"
    return text + "=== end\n"


def seen(*arguments: dict[str, str], **changes: str | tuple[str, int]) -> tuple[Look, Subject]:
    """The same, read."""
    look = read(output(*arguments, **changes))
    return look, Subject.of(look.values())


def judgement(*arguments: dict[str, str], **changes: str | tuple[str, int]) -> Judgement:
    """The same, judged."""
    look, subject = seen(*arguments, **changes)
    return JUDGES[subject.symptom](look, subject)


def named(verdict: Judgement) -> list[str]:
    """The cause that is confirmed, and the faults behind it."""
    confirmed = [ruling.code for ruling in verdict.rulings if not ruling.out]
    return confirmed + [finding.code for finding in verdict.further]


def cleared(verdict: Judgement) -> set[str]:
    """The causes that are ruled out."""
    return {ruling.code for ruling in verdict.rulings if ruling.out}
