"""The check of the host key against a real sshd: what a user sees, and that nothing is trusted that should not be."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.checks.doubles import FakeContext, codes, examine
from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd
from tunneldoctor.model import Finding, Outcome, Severity
from tunneldoctor.ssh.blobs import fingerprint
from tunneldoctor.ssh.known_hosts import File, read
from tunneldoctor.ssh.pins import Pins
from tunneldoctor.ssh.transport import Transport
from tunneldoctor_checks.facts import PINS, STREAM, TRANSPORT, TRUSTED
from tunneldoctor_checks.hostkey.verify import CHECK

pytestmark = needs_sshd


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd() as running:
        generate(running.folder / "stranger")
        generate(running.folder / "rsa", "rsa")
        yield running


@pytest.fixture
def judged(server: Sshd, make_context: Callable[..., FakeContext]) -> Iterator[Callable[..., Outcome]]:
    """Run the check on a new connection with these known_hosts lines; ``{name}`` is ``[host]:port``."""
    opened: list[Transport] = []

    def run(*lines: str, pins: Pins | None = None) -> Outcome:
        texts = {"name": f"[{server.host}]:{server.port}", **_keys(server)}
        data = "".join(line.format(**texts) + "\n" for line in lines).encode()
        known = pins or read([File("known_hosts", data)]).pins(server.host, server.port)
        transport = Transport.handshake(server.connect(), timeout=10, preferred_host_key_types=known.key_types())
        assert isinstance(transport, Transport)
        opened.append(transport)
        return examine(CHECK, make_context(CHECK, None, None, {PINS: known, TRANSPORT: transport}))

    yield run
    for transport in opened:
        transport.close()


def _keys(server: Sshd) -> dict[str, str]:
    files = {"own": "host_ed25519.pub", "stranger": "stranger.pub", "rsa": "rsa.pub"}
    return {name: " ".join((server.folder / file).read_text().split()[:2]) for name, file in files.items()}


def refused(outcome: Outcome) -> Finding:
    (finding,) = outcome.findings
    assert finding.severity in (None, Severity.ERROR)
    assert TRUSTED not in outcome.facts
    return finding


def test_the_pinned_key_is_trusted_and_measured(judged: Callable[..., Outcome], server: Sshd) -> None:
    outcome = judged("{name} {own}")
    assert codes(outcome) == []
    assert isinstance(outcome.facts[TRUSTED], Transport)
    assert str(outcome.measured["bastion.host_key"]).startswith("SHA256:")


def test_an_unknown_host_comes_with_the_line_that_would_pin_it(
    judged: Callable[..., Outcome], server: Sshd, tmp_path: Path
) -> None:
    finding = refused(judged())
    assert finding.code == "hostkey.unknown"
    line = str(finding.params["known_hosts_line"])
    assert codes(judged(line)) == []
    assert line == f"[{server.host}]:{server.port} {_keys(server)['own']}"


def test_an_unknown_host_whose_key_is_pinned_under_another_name_says_so(judged: Callable[..., Outcome]) -> None:
    finding = refused(judged("old-name {own}"))
    assert finding.code == "hostkey.unknown"
    assert any("known_hosts:1 (old-name)" in each.text for each in finding.evidence)


def test_a_changed_key_shows_both_fingerprints_and_the_line(judged: Callable[..., Outcome]) -> None:
    finding = refused(judged("# a comment", "{name} {stranger}"))
    assert finding.code == "hostkey.changed"
    assert finding.params["place"] == "known_hosts:2"
    assert str(finding.params["pinned"]).startswith("SHA256:")
    assert finding.params["pinned"] != finding.params["fingerprint"]


def test_another_pinned_type_says_whether_the_server_still_has_it(judged: Callable[..., Outcome]) -> None:
    finding = refused(judged("{name} {rsa}"))
    assert finding.code == "hostkey.other-type-pinned"
    assert finding.params["pinned_type"] == "ssh-rsa"
    assert finding.params["key_type"] == "ssh-ed25519"
    assert finding.params["pinned_type_is"] == "no longer offered"


def test_a_pin_without_the_port_is_a_warning_where_ssh_takes_it(judged: Callable[..., Outcome]) -> None:
    outcome = judged("127.0.0.1 {own}")
    assert codes(outcome) == ["hostkey.pinned-without-port"]
    assert outcome.findings[0].severity is Severity.WARNING
    assert TRUSTED in outcome.facts


def test_a_pin_without_the_port_of_another_type_is_an_error_as_for_ssh(judged: Callable[..., Outcome]) -> None:
    assert refused(judged("127.0.0.1 {rsa}")).code == "hostkey.pinned-without-port"


def test_a_revoked_key_is_never_trusted(judged: Callable[..., Outcome]) -> None:
    assert refused(judged("@revoked * {own}", "{name} {own}")).code == "hostkey.revoked"


def test_a_fingerprint_of_the_configuration_is_compared(judged: Callable[..., Outcome]) -> None:
    right = str(judged().findings[0].params["fingerprint"])
    assert codes(judged(pins=Pins("h", "h", fingerprints=(right,)))) == []
    finding = refused(judged(pins=Pins("h", "h", fingerprints=("SHA256:" + "A" * 43,))))
    assert finding.code == "hostkey.changed"
    assert finding.params["place"] == "host_key in the configuration"


def test_a_fingerprint_may_be_that_of_any_key_that_the_server_has(make_context: Callable[..., FakeContext]) -> None:
    with sshd(host_keys=("ed25519", "ecdsa", "rsa")) as many:
        blobs = {kind: base64.b64decode(many.public_host_key(kind)) for kind in ("ed25519", "ecdsa", "rsa")}
        for kind, blob in blobs.items():
            stream = many.connect()
            transport = Transport.handshake(stream, timeout=10)
            assert isinstance(transport, Transport)
            pins = Pins("h", "h", fingerprints=(fingerprint(blob),))
            context = make_context(CHECK, None, None, {PINS: pins, TRANSPORT: transport, STREAM: stream})
            outcome = examine(CHECK, context)
            assert codes(outcome) == [], kind
            assert outcome.facts[TRUSTED].plain_host_key == blob
            assert outcome.measured["bastion.host_key"] == fingerprint(blob)
            assert len(context.budget.spent) == {"ed25519": 0, "ecdsa": 1, "rsa": 2}[kind]
            context.close()
            transport.close()


@pytest.mark.parametrize(
    ("options", "authority", "code"),
    [
        (("-n", "127.0.0.1"), "ca", None),
        (("-n", "127.0.0.1", "-V", "-2d:-1d"), "ca", "hostkey.certificate-expired"),
        (("-n", "127.0.0.1", "-V", "+1d:+2d"), "ca", "hostkey.certificate-not-yet-valid"),
        (("-n", "elsewhere"), "ca", "hostkey.certificate-wrong-principal"),
        (("-n", "127.0.0.1"), "other", "hostkey.certificate-untrusted"),
    ],
)
def test_a_host_certificate_is_judged(
    options: tuple[str, ...], authority: str, code: str | None, tmp_path: Path, make_context: Callable[..., Any]
) -> None:
    import subprocess

    for name in ("ca", "other", "host"):
        generate(tmp_path / name)
    command = ["ssh-keygen", "-q", "-s", authority, "-I", "x", "-h", *options, "host.pub"]
    subprocess.run(command, cwd=tmp_path, check=True)
    line = "@cert-authority * " + (tmp_path / "ca.pub").read_text()
    with sshd(f"HostKey {tmp_path}/host\nHostCertificate {tmp_path}/host-cert.pub", host_keys=()) as server:
        pins = read([File("known_hosts", line.encode())]).pins(server.host, server.port)
        transport = Transport.handshake(server.connect(), timeout=10, preferred_host_key_types=pins.key_types())
        assert isinstance(transport, Transport)
        outcome = examine(CHECK, make_context(CHECK, None, None, {PINS: pins, TRANSPORT: transport}))
        transport.close()
    if code is None:
        assert codes(outcome) == []
        assert TRUSTED in outcome.facts
    else:
        assert refused(outcome).code == code
