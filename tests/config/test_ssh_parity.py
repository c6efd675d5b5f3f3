"""Our own reading of ssh_config against OpenSSH's: the same files must give the same tunnel.

The truth is ``ssh -G``. It takes ``~`` for the home of the password database, so the files here use whole paths.
"""

from __future__ import annotations

import getpass
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tunneldoctor.config import load
from tunneldoctor.config.ssh_keywords import ALIASES, DEPRECATED, HARMLESS, HONOURED, KNOWN, NAMED

needs_ssh = pytest.mark.skipif(shutil.which("ssh") is None, reason="needs OpenSSH's ssh")

#: What stands in the file ``more``, which some of the others include.
MORE = "Port 2022\nHost other\n  Port 1\nHost orders\n  User included\n"

SAME = {
    "plain": "Host orders\n HostName bastion.corp\n Port 2222\n User tunnel\n",
    "equals signs and quotes": 'Host = orders\nHostName="bastion.corp"\n  Port =2222\nUser= "tun nel"\n',
    "a keyword in quotes": 'Host orders\n"Port" 2222\n',
    "case of keywords": "HOST orders\nhostname X.Corp\npORT 23\n",
    "case of hosts": "Host Orders\n Port 23\nHost orders\n Port 24\n",
    "comments": "# one\nHost orders # two\n  Port 22 # three\n\t# four\n  User tunnel#five\n",
    "the first value counts": "Host orders\n Port 2222\n Port 2223\nHost *\n Port 1\n User last\n",
    "negation": "Host * !orders\n Port 1\nHost orders !x\n Port 2\n",
    "negation at the end": "Host orders !ord*\n Port 1\nHost orders\n User x\n",
    "patterns": "Host ord?rs\n Port 1\nHost ord[e]rs\n Port 2\nHost o*\n User x\nHost orders\n",
    "several forwards": "Host orders\n LocalForward 1 a:1\nHost *\n LocalForward 2 b:2\n",
    "the same forward twice": "Host orders\n LocalForward 1111 a:1\nHost *\n LocalForward 1111 a:1\n",
    "a forward to IPv6": "Host orders\n LocalForward [::1]:5433 [fd00::1]:5432\n",
    "a forward with slashes": "Host orders\n LocalForward 5433 db/5432\n",
    "a forward to a socket": "Host orders\n LocalForward 5433 /run/postgresql/.s.PGSQL.5432\n",
    "forwards cleared": "Host orders\n LocalForward 5433 db:5432\n ClearAllForwardings yes\n",
    "gateway ports": "Host orders\n LocalForward 5433 db:5432\n GatewayPorts yes\n",
    "match host, named": "Host orders\n HostName b.corp\nMatch host b.corp\n Port 7\nMatch host orders\n User u\n",
    "match host in capitals": "Host orders\n HostName B.Corp\nMatch host *.corp originalhost ORDERS\n Port 7\n",
    "match originalhost": "Host orders\n HostName b.corp\nMatch originalhost orders\n Port 7\n",
    "match user": "Host orders\n User tunnel\nMatch user tun*,other\n Port 7\nMatch user root\n Port 8\n",
    "match localuser": "Match localuser {me}\n Port 7\nMatch !localuser {me}\n User no\nHost orders\n",
    "match negated": "Host orders\nMatch !host orders\n Port 7\nMatch !host other\n Port 8\n",
    "match all": "Host x\n Port 1\nMatch all\n Port 2\nHost orders\n",
    "match final": "Match final host b.corp\n Port 7\nHost orders\n HostName b.corp\n",
    "match final all": "Host orders\n User a\nMatch final all\n User b\n Port 9\n",
    "final, not reached": "Host b.corp\n Port 9\nHost orders\n HostName B.Corp\nMatch user nobody final\n",
    "host in the final pass": "Host b.corp\n Port 9\nHost orders\n HostName b.corp\nMatch final\n",
    "match with equals": "Host orders\nMatch host=orders user=*\n Port 7\n",
    "match exec that is not reached": 'Host orders\nMatch host other exec "touch {folder}/ran"\n Port 1\n',
    "include": "Include {folder}/more\nHost orders\n User after\n",
    "include in a block": "Host orders\nInclude {folder}/more\n User after\n",
    "include in another's block": "Host other\nInclude {folder}/more\nHost orders\n Port 3\n",
    "include with a pattern": "Host orders\n HostName x\nInclude {folder}/mo?e {folder}/absent\n",
    "tokens in HostName": "Host orders\n HostName %h.corp%%\n",
    "tokens in paths": "Host orders\n Port 5\n User u\n IdentityFile {folder}/%r@%n-%h-%p-%%\n CertificateFile /%k\n",
    "jumps": "Host orders\n ProxyJump me@one:2201,ssh://two:23,[fd00::1]:24,three\nHost one\n HostName one.corp\n",
    "no jump": "Host orders\n ProxyJump none\nHost *\n ProxyJump edge\n",
    "no jump, but a command": "Host orders\n ProxyJump none\n ProxyCommand ssh -W %h:%p edge\n",
    "no command, and a jump": "Host orders\n ProxyCommand none\n ProxyJump edge\n",
    "a jump before a command": "Host orders\n ProxyJump edge\n ProxyCommand nc %h %p\n",
    "a command before a jump": "Host orders\n ProxyCommand nc -x 'a b' %h %p\n ProxyJump edge\n",
    "no command": "Host orders\n ProxyCommand none\n",
    "files": "Host orders\n IdentityFile /a\n IdentityFile /b\nHost *\n IdentityFile /a\n IdentitiesOnly yes\n",
    "known hosts": "Host orders\n UserKnownHostsFile /a /b\n GlobalKnownHostsFile /dev/null\n HostKeyAlias x\n",
    "known hosts nowhere": "Host orders\n UserKnownHostsFile none\n GlobalKnownHostsFile none\n",
    "times": "Host orders\n ServerAliveInterval 1m\n ConnectTimeout 1m30s\n",
    "times of nothing": "Host orders\n ServerAliveInterval 0\n ConnectTimeout none\n",
    "methods": "Host orders\n PubkeyAuthentication no\n PasswordAuthentication no\n",
    "an address family": "Host orders\n AddressFamily inet6\n",
    "ways not followed": "Host orders\n BindAddress 127.0.0.1\n BindInterface lo\n PKCS11Provider /x.so\n",
    "host keys not followed": "Host orders\n StrictHostKeyChecking accept-new\n KnownHostsCommand /bin/true\n"
    " VerifyHostKeyDNS ask\n RevokedHostKeys /x\n NoHostAuthenticationForLocalhost yes\n",
    "logins not followed": "Host orders\n HostbasedAuthentication yes\n",
    "unknown but ignored": "IgnoreUnknown Use*,NoSuch\nHost orders\n UseKeychain yes\n NoSuch x\n Port 7\n",
    "older names": "Host orders\n Protocol 2\n Cipher blowfish\n IdentityFile2 {folder}/a\n",
    "sent variables": "Host orders\n SendEnv LANG LC_*\n SendEnv -X\n SetEnv A=b C=d\n Port 9\n",
    "CRLF": "Host orders\r\n Port 2222\r\n User tunnel\r\n",
    "blanks and form feeds": "\t\nHost\torders \t\n\t Port\t2222 \f\n",
    "no line end": "Host orders\n Port 2222",
    "a NUL": "Host orders\n User tun\0nel\n Port 7\n",
    "a long line": "Host orders\n SetEnv A=" + "x" * 200_000 + "\n Port 7\n",
    "canonical, no domains": "CanonicalizeHostname yes\nHost orders\n HostName b.corp\nHost b.corp\n Port 9\n",
}  # fmt: skip

REFUSED = {
    "a keyword that is none": "Host orders\n NoSuchOption yes\n",
    "one in another host's block": "Host other\n NoSuchOption yes\nHost orders\n",
    "a BOM": "\ufeffHost orders\nHost orders\n Port 9\n",
    "no argument": "Host orders\n Port\n",
    "a quote left open": 'Host orders\n User "tunnel\n',
    "a port that is none": "Host orders\n Port 70000\n",
    "a forward without a target": "Host orders\n LocalForward 5433\n",
    "an include of itself": "Include {folder}/.ssh/config\nHost orders\n",
    "a criterion that is none": "Host orders\nMatch planet earth\n Port 1\n",
}


def _tunnel(folder: Path, text: str, path: str) -> dict[str, Any]:
    (folder / ".ssh").mkdir(exist_ok=True)
    (folder / "more").write_text(MORE)
    (folder / "tunneldoctor.toml").touch()
    filled = text.replace("{folder}", str(folder)).replace("{me}", getpass.getuser())
    (folder / ".ssh" / "config").write_text(filled, newline="")
    environ = {"HOME": str(folder), "PATH": path, "USER": getpass.getuser(), "SSH_AUTH_SOCK": "/run/agent"}
    tunnel = load(None, environ, folder).tunnel_from_ssh_host("orders", {})
    assert tunnel is not None
    fields = {name: getattr(tunnel, name) for name in tunnel.__dataclass_fields__ if name != "problems"}
    return fields | {"problems": {(each.code, each.hop, each.params.get("option")) for each in tunnel.problems}}


@needs_ssh
@pytest.mark.parametrize("text", SAME.values(), ids=SAME)
def test_our_reading_is_openssh_s(text: str, tmp_path: Path) -> None:
    assert _tunnel(tmp_path, text, "/nonexistent") == _tunnel(tmp_path, text, os.environ["PATH"])
    assert not (tmp_path / "ran").exists()


_PATTERNS = ("orders", "*", "o*", "!orders", "!x", "x", "ord?rs", "b.corp", "*.corp")
_CRITERIA = (
    "host orders", "host b.corp", "host *.corp,!x", "originalhost orders", "user a,root", "localuser root",
    "!host orders", "!user b*", "final", "canonical", "!final",
)  # fmt: skip
_VALUES = {
    "HostName": ("b.corp", "%h.corp", "B.Corp", "x%%y"),
    "Port": ("22", "2222", "'23'"),
    "User": ("a", '"b c"', "c#d"),
    "ProxyJump": ("none", "edge", "me@e1:22,e2", "ssh://u@h:9"),
    "ProxyCommand": ("none", "nc %h %p", "ssh -W %h:%p j"),
    "LocalForward": ("5433 db:5432", "127.0.0.1:1234 db2:1", "*:99 [::1]:5"),
    "IdentityFile": ("/k1", "/k2", '"/k 3"', "none"),
    "IdentityAgent": ("none", "SSH_AUTH_SOCK", "/sock"),
    "IdentitiesOnly": ("yes", "no"),
    "ConnectTimeout": ("5", "1h", "none"),
    "ServerAliveInterval": ("1m", "0", "30"),
    "UserKnownHostsFile": ("/a /b", "none"),
    "HostKeyAlias": ("al", "none"),
    "AddressFamily": ("inet", "any"),
    "CertificateFile": ("/c1", "/c%p"),
    "GatewayPorts": ("yes", "no"),
    "ClearAllForwardings": ("yes", "no"),
    "PreferredAuthentications": ("publickey", "gssapi-with-mic"),
}


def _random_file(dice: random.Random) -> str:
    headers = [
        f"Host {' '.join(dice.sample(_PATTERNS, dice.randint(1, 3)))}\n",
        f"Match {' '.join(dice.sample(_CRITERIA, dice.randint(1, 2)))}\n",
        "Match all\n",
        "Include {folder}/more\n",
    ]
    blocks = []
    for header in dice.choices(headers, weights=(4, 4, 1, 1), k=dice.randint(1, 5)):
        chosen = dice.sample(sorted(_VALUES), dice.randint(0, 4))
        lines = [f"  {each}{dice.choice((' ', '=', ' = '))}{dice.choice(_VALUES[each])}\n" for each in chosen]
        blocks.append(header + "".join(lines))
    return "".join([*blocks, "Host orders\n"])


@needs_ssh
@pytest.mark.parametrize("seed", range(40))
def test_files_that_nobody_thought_of_are_read_alike(seed: int, tmp_path: Path) -> None:
    text = _random_file(random.Random(seed))
    assert _tunnel(tmp_path, text, "/nonexistent") == _tunnel(tmp_path, text, os.environ["PATH"]), text


@needs_ssh
@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_what_openssh_refuses_we_refuse(text: str, tmp_path: Path) -> None:
    ours, theirs = (_tunnel(tmp_path, text, path) for path in ("/nonexistent", os.environ["PATH"]))
    assert ours["problems"] == theirs["problems"] == {("config.ssh-config-unsupported", "bastion", "the whole entry")}


def test_a_program_of_match_exec_is_never_run(tmp_path: Path) -> None:
    text = 'Host orders\nMatch host orders exec "touch {folder}/ran"\n Port 1\n'
    assert _tunnel(tmp_path, text, "/nonexistent")["problems"]
    assert not (tmp_path / "ran").exists()


def test_every_keyword_of_ssh_config_5_has_its_place() -> None:
    assert _manual() <= KNOWN
    assert not HONOURED & NAMED
    assert not (HONOURED | NAMED) & HARMLESS
    assert ALIASES.keys().isdisjoint(HONOURED | NAMED | HARMLESS | DEPRECATED)
    assert set(ALIASES.values()) <= HONOURED | NAMED | HARMLESS


def _manual() -> set[str]:
    """The keywords that the installed manual describes (mdoc(7): ``.It Cm Keyword``); none without a manual."""
    page = subprocess.run(["man", "-w", "ssh_config"], capture_output=True, text=True, check=False).stdout.strip()
    if not page or not Path(page).is_file():
        return set()
    opened = ["zcat", "-f", page]
    source = subprocess.run(opened, capture_output=True, text=True, check=True).stdout
    starts = [line.split() for line in source.splitlines() if line.startswith(".It Cm ")]
    return {words[2].lower() for words in starts if words[2][0].isupper()}
