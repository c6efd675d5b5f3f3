"""sshd's debug messages, as OpenSSH 9.2 and 10 send them."""

from __future__ import annotations

from tunneldoctor.ssh.debug import egress_address, key_options, refusal_causes

LINE = "/home/t/.ssh/authorized_keys:1: key options:"


def test_the_options_of_a_plain_key_are_read() -> None:
    options = key_options([f"{LINE} agent-forwarding permitopen port-forwarding pty"])
    assert options is not None
    assert (options.place, options.certificate) == ("/home/t/.ssh/authorized_keys:1", None)
    assert options.allows_forwarding
    assert options.limits_destinations


def test_restrict_takes_forwarding_away() -> None:
    options = key_options([LINE])
    assert options is not None
    assert not options.line_allows


def test_a_cert_authority_line_and_its_certificate_are_told_apart() -> None:
    full = f"{LINE} port-forwarding principals pty"
    restricted_certificate = key_options([full, LINE])
    restricted_line = key_options([LINE, full])
    assert restricted_certificate is not None
    assert restricted_line is not None
    assert (restricted_certificate.line_allows, restricted_certificate.certificate_allows) == (True, False)
    assert (restricted_line.line_allows, restricted_line.certificate_allows) == (False, True)


def test_a_certificate_of_a_trusted_authority_has_no_line() -> None:
    options = key_options(["cert: key options:"])
    assert options is not None
    assert (options.line, options.certificate_allows) == (None, False)


def test_nothing_is_known_without_such_a_message() -> None:
    assert key_options(["Server has disabled port forwarding."]) is None


def test_each_message_about_a_refused_key_proves_its_cause() -> None:
    said = {
        "Ignored authorized keys: bad ownership or modes for directory /home/t": "auth.bad-permissions",
        "/h/.ssh/authorized_keys:1: Your host '203.0.113.7' is not permitted to use this key for login.": (
            "auth.from-mismatch"
        ),
        "/h/.ssh/authorized_keys:2: entry expired at 2020-01-01T00:00:00": "auth.key-expired",
        'Refused Certificate ID "x" serial=1: Certificate invalid: expired': "key.certificate-expired",
        "cert: Your address '203.0.113.7' is not permitted to use this certificate for login.": (
            "auth.certificate-source-address"
        ),
        "Certificate invalid: name is not a listed principal": "key.certificate-wrong-principal",
        "Certificate does not contain an authorized principal": "auth.certificate-principal-not-authorized",
        "Certificate lacks principal list": "key.certificate-no-principals",
        "/h/.ssh/authorized_keys:1: bad key options: unknown key option": "auth.key-not-authorized",
    }
    for text, code in said.items():
        assert refusal_causes([text]) == {code: text}
    assert refusal_causes(["something else"]) == {}


def test_our_address_as_the_server_sees_it_is_taken_from_a_message() -> None:
    text = "/h/.ssh/authorized_keys:1: Your host '203.0.113.7' is not permitted to use this key for login."
    assert egress_address(["x", text]) == "203.0.113.7"
    assert egress_address(["x"]) is None
