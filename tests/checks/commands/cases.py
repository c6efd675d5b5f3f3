"""Which page is followed in which scenario, and what is done there by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fixtures.lab.postgres import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Case:
    """A scenario whose page is followed.

    ``edit`` is the sed expression that stands for what the page tells to change in an editor, ``finish`` a line of
    shell for what else it leaves to a person (on this machine; the stage's words in braces), ``known`` what a person
    fills in where the fields can't be known. ``shows`` maps a part of a command to what its output must hold.
    ``typed`` is what a person types in, where a command asks.
    Regular expressions: ``fails``, commands that end with an error while the fault lasts; ``skips``, other ways to do
    what was done already; ``runs``, commands that are otherwise not run. ``healed`` is false where nothing that can be
    typed here takes the fault away.
    """

    scenario: str
    edit: str = ""
    finish: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    shows: Mapping[str, str] = field(default_factory=dict)
    fails: tuple[str, ...] = ()
    skips: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    healed: bool = True
    typed: str = ""


#: A new key takes the place of the old one, at both ends.
NEW_KEY = "cp id.new id && cat id.new.pub >> {home}/.ssh/authorized_keys"
#: What the authority signed is brought back.
SIGNED = "cp key-cert.pub id-cert.pub"
#: The address that the loopback bastion sees us from.
LOCAL = {"egress_address": "127.0.0.1"}

CASES = (
    Case("config-local-port-taken", healed=False, shows={"ss -ltnp": "users:"}),
    Case("config-zero-width-space-in-user", healed=False, shows={"grep -n": "342 200 213"}),
    Case("key-absent", healed=False, shows={"namei": "No such file"}, fails=("namei",)),
    Case("key-all-on-one-line"),
    Case("key-base64-of-the-whole-file", skips=("base64 -d",)),
    Case("key-cut-short", finish=NEW_KEY, fails=("repair-key",), shows={"wc -c": "[0-9]+"}),
    Case("key-newlines-escaped"),
    Case("key-no-newline-at-the-end"),
    Case("key-pasted-with-crlf"),
    Case("key-public-half", healed=False, shows={"ssh-keygen -lf": "ED25519"}),
    Case("key-readable-by-all"),
    Case("key-text-in-front"),
    Case("key-certificate-expired", finish=SIGNED),
    Case("key-certificate-without-port-forwarding", finish=SIGNED),
    Case("key-certificate-for-somebody-else", finish=SIGNED, known=LOCAL, shows={"sshd -T": "principalsfile none"}),
    Case("tcp-nobody-listens", healed=False, fails=("systemctl start", "sshd -T")),
    Case("tcp-packets-dropped", known={"egress_address": "203.0.113.1"}, shows={"list ruleset": "dport 22 drop"}),
    Case("tcp-router-prohibits", healed=False, fails=("grep -n -i reject",)),
    Case("tcp-no-default-route", healed=False, shows={"route get": "unreachable"}, fails=("route get",)),
    Case("tcp-one-address-of-two-dead", healed=False, fails=("nc -vz",)),
    Case("ssh-large-packets-vanish", shows={"ping": "572 passes"}),
    Case("ssh-too-many-logins-pending", shows={"maxstartups": "maxstartups 1:100:1"}),
    Case("ssh-no-common-key-exchange", shows={"kexalgorithms'": "^kexalgorithms diffie-hellman-group1-sha1"}),
    Case("ssh-no-common-host-key-algorithm", shows={"sshd -T": "hostkeyalgorithms ssh-rsa"}),
    Case("ssh-no-common-mac", shows={"sshd -T": "macs hmac-md5"}),
    Case("ssh-only-a-weak-cipher", shows={"sshd -T": "ciphers 3des-cbc"}),
    Case("hostkey-changed", shows={"for f in": "SHA256:.*ED25519"}),
    Case("hostkey-unknown", shows={"for f in": "SHA256:.*ED25519", "ssh-keyscan": "SHA256:.*ED25519"}),
    Case("hostkey-only-another-type-pinned", shows={"ssh-keyscan": "SHA256:.*ED25519"}),
    Case("hostkey-pinned-without-the-port", shows={"ssh-keyscan": "SHA256:.*ED25519"}),
    Case("hostkey-line-that-nobody-can-read", shows={"sed -n": "AAAAthis-is-no-key"}),
    Case(
        "auth-key-of-somebody-else",
        shows={"journalctl": "Connection closed by authenticating user", "ssh-keygen -lf": "SHA256"},
    ),
    Case(
        "auth-home-writable-by-all",
        shows={"journalctl": "Authentication refused: bad ownership or modes for directory", "namei": "drwxrwxrwx"},
    ),
    Case("auth-from-another-address", edit='s/from="[^"]*"/from="127.0.0.1"/', shows={"journalctl": "ip=127.0.0.1"}),
    Case(
        "auth-authorisation-expired",
        edit='s/time="[^"]*"/time="20991231"/',
        shows={"journalctl": "Refused by key options", "grep -n": "expiry-time"},
    ),
    Case("auth-key-revoked", finish=NEW_KEY, shows={"journalctl": "revoked by file", "sshd -T": "revokedkeys /"}),
    Case(
        "auth-rsa-key-too-short-for-the-server",
        finish=NEW_KEY,
        shows={"journalctl": "refusing RSA key: Invalid key length", "sshd -T": "requiredrsasize 3072"},
    ),
    Case(
        "auth-key-type-not-accepted",
        known=LOCAL,
        shows={"journalctl": "not in PubkeyAcceptedAlgorithms", "sshd -T": "pubkeyacceptedalgorithms rsa"},
    ),
    Case("auth-account-locked", shows={"journalctl": "not allowed because account is locked", "passwd -S": " LK? "}),
    Case("auth-certificate-of-an-unknown-authority", shows={"ssh-keygen -lf": "none", "ssh-keygen -Lf": "Signing CA"}),
    Case("auth-keys-not-taken", known=LOCAL, shows={"sshd -T": "pubkeyauthentication no"}),
    Case("auth-password-wanted-as-well", known=LOCAL, shows={"sshd -T": "publickey,password"}),
    Case(
        "auth-user-denied",
        known=LOCAL,
        shows={
            "journalctl": "not allowed because listed in DenyUsers",
            "sshd -T": "denyusers",
            "grep -rni": "DenyUsers",
        },
        healed=False,
    ),
    Case("auth-closed-after-the-login", known=LOCAL, shows={"sshd -T": "chrootdirectory /"}, healed=False),
    Case("forward-off-in-sshd", known=LOCAL, shows={"sshd -T": "allowtcpforwarding (no|local)"}),
    Case("forward-off-altogether", known=LOCAL, shows={"sshd -T": "disableforwarding (yes|no)"}),
    Case(
        "forward-another-target-permitted-by-the-key",
        known=LOCAL,
        edit='s/permitopen="[^"]*"/permitopen="{target}"/',
        shows={"grep -n": "permitopen"},
    ),
    Case("forward-key-restricted", edit='s/^restrict/restrict,port-forwarding,permitopen="{target}"/'),
    Case(
        "forward-another-target-permitted-in-sshd",
        known=LOCAL,
        healed=False,
        shows={"sshd -T": "permitopen 192.0.2.99", "grep -rni": "PermitOpen 192.0.2.99"},
    ),
    Case("forward-name-unknown-on-the-bastion", healed=False),
    Case("forward-no-machine-at-the-database-address", healed=False, shows={"route get": "dev eth1"}),
    Case("forward-closed-at-once", healed=False, fails=("stays open",)),
    Case("db-bastion-not-in-pg-hba", shows={"pg_hba_file_rules": "127.0.0.1"}),
    Case("db-user-without-login"),
    Case("db-database-takes-nobody", skips=("pgbouncer",)),
    Case("db-database-closed-to-us"),
    Case("db-database-unknown", shows={"psql -l": "orders"}),
    Case("db-password-expired", shows={"from pg_roles": "elapsed.*2001", "from pg_authid": "SCRAM-SHA-256"}),
    Case("db-user-unknown", typed=f"{PASSWORD}\n" * 2, shows={"from pg_roles": "^ app"}),
    Case("db-ident-asked-for"),
    Case("db-full-for-this-user", healed=False, shows={"rolconnlimit": "app +. +0"}),
    Case("mysql-account-locked"),
    Case("mysql-password-expired", typed=f"{PASSWORD}\n" * 2),
    Case("mysql-database-unknown", shows={"SHOW DATABASES": "orders"}),
    Case("mysql-database-closed-to-us", shows={"SHOW DATABASES": "closed"}),
    Case("mysql-password-wrong", typed="not-the-password\n", shows={"SELECT user, host": "app"}),
    Case("mysql-user-unknown", typed=f"{PASSWORD}\n"),
    Case("mysql-no-account-for-the-bastion", typed=f"{PASSWORD}\n", shows={"skip_name_resolve": "1"}),
    Case("mysql-bastion-blocked", skips=("max_connect_errors",)),
    Case("db-certificate-for-another-name", healed=False, shows={"s_client": "DNS:"}),
    Case("db-certificate-of-an-unknown-issuer", healed=False, shows={"s_client": "issuer=.*somebody else"}),
    Case("db-certificate-weak", healed=False, shows={"s_client": r"Public-Key: \(1024 bit\)"}),
    Case("mysql-certificate-for-another-name", healed=False, shows={"s_client": "DNS:"}),
    Case("look-large-packets-lost-before-the-database"),
)
