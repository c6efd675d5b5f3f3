from pathlib import Path

import pytest

from tunneldoctor.config.references import TextReference, key_reference, password_reference
from tunneldoctor.config.settings import Entry, Surroundings
from tunneldoctor.model import Origin

BASE = Path("/etc/tunnels")
SURROUNDINGS = Surroundings({}, Path("/home/me"), Path("/cwd"))


def entry(value: str) -> Entry:
    return Entry(value, Origin("here"), BASE)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("keys/id", "file:/etc/tunnels/keys/id"),
        ("~/.ssh/id", "file:/home/me/.ssh/id"),
        ("/abs/id", "file:/abs/id"),
        ("file:keys/id", "file:/etc/tunnels/keys/id"),
        ("file:///abs/id", "file:/abs/id"),
        ("file:~/.ssh/id", "file:/home/me/.ssh/id"),
        ("env:KEY", "env:KEY"),
        ("keyring:tunnels/me", "keyring:tunnels/me"),
        ("agent:", "agent:"),
        ("agent:SHA256:abc", "agent:SHA256:abc"),
        ("C:/keys/id", "file:/etc/tunnels/C:/keys/id"),
        (" ~/.ssh/id ", "file:/home/me/.ssh/id"),
    ],
)
def test_a_bare_value_is_a_path_where_a_key_belongs(value: str, text: str) -> None:
    assert str(key_reference(entry(value), SURROUNDINGS)) == text


@pytest.mark.parametrize(
    "value",
    [
        "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n",
        "-----BEGIN OPENSSH PRIVATE KEY-----\\nb3Bl",
        "LS0tLS1CRUdJTiBPUEVOU1NI",
        "b3BlbnNzaC1rZXktdjEAAAAA",
        "PuTTY-User-Key-File-3: ssh-ed25519",
        "ssh-ed25519-cert-v01@openssh.com AAAAIHNz",
        "bastion ssh-ed25519 AAAAC3Nz",
        "first line\nsecond line",
    ],
)
def test_the_text_of_a_key_is_the_key_byte_for_byte(value: str) -> None:
    reference = key_reference(entry(value), SURROUNDINGS)
    assert reference.is_literal
    assert reference.secret is not None
    assert reference.secret.reveal() == value.encode()
    assert value not in repr(reference)


@pytest.mark.parametrize("value", ["hunter2", "vault:kv/x", "ENV:NAME", "agent:x", "a b", " hunter2 "])
def test_where_a_password_belongs_all_but_the_known_prefixes_is_the_password(value: str) -> None:
    reference = password_reference(entry(value), SURROUNDINGS)
    assert reference.is_literal
    assert reference.secret is not None
    assert reference.secret.reveal() == value.encode()


def test_a_password_of_a_file_is_one_line_of_text() -> None:
    assert password_reference(entry("file:pw"), SURROUNDINGS) == TextReference("file", "/etc/tunnels/pw")
