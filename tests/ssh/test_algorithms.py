"""What is common, what is weak, and what is asked for first."""

from __future__ import annotations

import pytest

from tunneldoctor.ssh.algorithms import (
    Negotiated,
    Offer,
    first_without_common,
    openssh_can,
    preferring,
    signature_algorithm,
    weak,
)

OURS = Offer(("curve25519-sha256",), ("ssh-ed25519", "rsa-sha2-512"), ("aes128-ctr",), ("hmac-sha2-256",))


def test_the_first_list_without_anything_in_common_is_named() -> None:
    assert first_without_common(OURS, OURS) is None
    theirs = Offer(OURS.kex, ("ssh-dss",), ("none",), OURS.mac)
    assert first_without_common(OURS, theirs) == "host_key"


def test_what_only_openssh_has_is_told_from_what_nobody_should_have() -> None:
    assert openssh_can("cipher", Offer(cipher=("chacha20-poly1305@openssh.com",))) == ("chacha20-poly1305@openssh.com",)
    assert openssh_can("kex", Offer(kex=("diffie-hellman-group1-sha1",))) == ()


@pytest.mark.parametrize(
    ("cipher", "mac", "named"),
    [
        ("aes256-ctr", "hmac-sha2-256", set()),
        ("aes128-gcm@openssh.com", "implicit", set()),
        ("aes128-ctr", "hmac-sha1", set()),
        ("3des-cbc", "hmac-sha1", {"3des-cbc"}),
        ("aes128-ctr", "hmac-md5-96", {"hmac-md5-96"}),
    ],
)
def test_only_what_was_agreed_on_can_be_weak(cipher: str, mac: str, named: set[str]) -> None:
    assert set(weak(Negotiated("curve25519-sha256", "ssh-ed25519", cipher, mac))) == named


def test_pinned_types_come_first_and_rsa_means_its_sha2_signatures() -> None:
    known = ("ssh-ed25519", "rsa-sha2-512", "rsa-sha2-256")
    assert preferring(("ssh-rsa",), known) == ("rsa-sha2-512", "rsa-sha2-256", "ssh-ed25519")
    assert preferring(("ssh-dss",), known) == known


@pytest.mark.parametrize(
    ("key_type", "takes", "algorithm"),
    [
        ("ssh-ed25519", ("rsa-sha2-256",), "ssh-ed25519"),
        ("ssh-rsa", None, "rsa-sha2-512"),
        ("ssh-rsa", ("ssh-rsa", "rsa-sha2-256"), "rsa-sha2-256"),
        ("ssh-rsa", ("ssh-rsa",), "rsa-sha2-512"),
        ("ssh-rsa-cert-v01@openssh.com", ("rsa-sha2-256",), "rsa-sha2-256-cert-v01@openssh.com"),
    ],
)
def test_rsa_signs_as_the_server_wants_it(key_type: str, takes: tuple[str, ...] | None, algorithm: str) -> None:
    assert signature_algorithm(key_type, takes) == algorithm
