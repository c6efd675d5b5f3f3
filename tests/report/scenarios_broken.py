"""Situations in which something is broken. Each is a function, so that no test can spoil another's report."""

from dataclasses import replace

from tests.report.samples import (
    BASTION,
    CLOUD,
    EDGE,
    HERE,
    LOGIN,
    ON_BASTION,
    ON_DATABASE,
    ORDERS,
    blocked,
    checks,
    diagnosis,
    ended,
    facts,
    finding,
    healthy_check,
    path,
    report,
)
from tunneldoctor.model import (
    CheckReport,
    Evidence,
    Layer,
    PathHop,
    Provider,
    Redacted,
    Report,
    RuledOut,
    Severity,
    Status,
    Step,
    Verdict,
)


def broken() -> Report:
    """One certain cause, far along the path."""
    refused = finding(
        "forward.refused",
        title="The bastion reaches db.internal.corp, and nothing listens on port 5432 there",
        summary="The bastion's own connection to db.internal.corp:5432 was refused by the host (10.0.3.17).",
        params={"target": "db.internal.corp:5432", "address": "10.0.3.17"},
        symptom="forward.connect-failed",
        ruled_out=(
            RuledOut("forward.name-not-resolved", "the bastion resolves db.internal.corp to 10.0.3.17"),
            RuledOut("forward.timeout", "the answer came after 28 ms"),
        ),
        remedy=(
            Step(
                "See whether the database listens, and on which address", "sudo ss -ltnp 'sport = :5432'", ON_DATABASE
            ),
            Step(
                "If it listens on 127.0.0.1 alone, let it listen on all addresses, and restart it",
                "sudo -u postgres psql -c \"ALTER SYSTEM SET listen_addresses = '*'\" "
                "&& sudo systemctl restart postgresql",
                ON_DATABASE,
            ),
            Step(
                "Compare the port with the one that the provider shows",
                "aws rds describe-db-instances --query 'DBInstances[].Endpoint' --output table",
                CLOUD,
                Provider.AWS,
            ),
        ),
        verify=Step("The bastion reaches the database", "nc -vz -w5 db.internal.corp 5432", ON_BASTION),
        evidence=(
            Evidence("message", "open failed: connect failed: Connection refused"),
            Evidence("timing", "the refusal came after 28 ms; one round trip to the bastion is 24 ms"),
        ),
    )
    found_in = checks(
        forward_open=ended("forward.open", Status.FAIL, refused),
        db_tls=blocked("db.tls", "forward.open", "forward.refused"),
        db_login=blocked("db.login", "forward.open", "forward.refused"),
    )
    return report(
        found_in,
        diagnosis(refused, "database", Layer.FORWARD),
        Verdict.BROKEN,
        path=path(Status.PASS, Status.FAIL),
        facts=facts("database"),
    )


def symptom() -> Report:
    """Five causes left, two ruled out, a second fault, and a warning."""
    refused = finding(
        "auth.publickey-refused",
        title="The bastion refuses this key for user tunnel",
        summary=(
            "bastion.example.com turned down the ED25519 key SHA256:pS0bV9nqXJv1mB1xX0dGQxNn0r2y0qk3G3cU8cXoJ0E "
            "for tunnel and, as sshd does on purpose, did not say why."
        ),
        params={"username": "tunnel", "fingerprint": "SHA256:pS0bV9nqXJv1mB1xX0dGQxNn0r2y0qk3G3cU8cXoJ0E"},
        causes=(
            "auth.key-not-authorized",
            "auth.unknown-user",
            "auth.user-not-allowed",
            "auth.bad-permissions",
            "auth.from-mismatch",
        ),
        ruled_out=(
            RuledOut("auth.algorithm-not-accepted", "server-sig-algs of OpenSSH 9.7 lists ssh-ed25519"),
            RuledOut("auth.key-too-short-for-server", "an ED25519 key has one length only"),
        ),
        next_step=Step(
            "Read what sshd logged about this login",
            "sudo journalctl -u ssh --since '10 min ago' | grep -e tunnel -e 198.51.100.7",
            ON_BASTION,
        ),
        remedy=(
            Step(
                "Add the public key to the account's authorized_keys",
                "ssh-keygen -y -f ~/.ssh/orders_ed25519 "
                "| ssh ubuntu@bastion.example.com 'sudo tee -a ~tunnel/.ssh/authorized_keys'",
                HERE,
            ),
            Step(
                "Give the folder and the file to the account alone",
                "sudo chmod 700 ~tunnel/.ssh && sudo chmod 600 ~tunnel/.ssh/authorized_keys",
                ON_BASTION,
            ),
        ),
        verify=LOGIN,
        evidence=(
            Evidence("message", "Permission denied (publickey)."),
            Evidence(
                "list",
                "server-sig-algs: ssh-ed25519, sk-ssh-ed25519@openssh.com, ecdsa-sha2-nistp256, "
                "ecdsa-sha2-nistp384, ecdsa-sha2-nistp521, rsa-sha2-512, rsa-sha2-256",
            ),
            Evidence("list", "still offered: publickey"),
        ),
    )
    no_root = finding(
        "config.secret-not-found",
        title="The file that sslrootcert names is not there",
        summary="/etc/ssl/rds.pem does not exist; verify-full can't be met without it.",
        remedy=(
            Step(
                "Fetch the provider's certificates",
                "curl -fsSo rds.pem https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
            ),
            Step("Name the file in the connection string: sslrootcert=…"),
        ),
    )
    weak = finding(
        "ssh.weak-algorithms",
        Severity.WARNING,
        title="The connection uses a weak algorithm",
        summary="hmac-sha1 was negotiated as the MAC.",
        remedy=(Step("Offer a better one in sshd_config", "sudo sshd -T | grep -i ^macs", ON_BASTION),),
    )
    last = ("forward.open", "db.tls", "db.login", "idle.known-cutoffs")
    changes = {
        each.replace(".", "_").replace("-", "_"): blocked(each, "auth.login", "auth.publickey-refused") for each in last
    }
    found_in = checks(
        db_client_files=ended("db.client-files", Status.FAIL, no_root),
        ssh_handshake=ended("ssh.handshake", Status.WARN, weak),
        auth_login=ended("auth.login", Status.FAIL, refused),
        **changes,
    )
    return report(
        found_in,
        diagnosis(refused, "bastion", Layer.AUTH),
        Verdict.BROKEN,
        path=path(Status.FAIL, None),
        facts=facts("database"),
    )


def jump_hosts() -> Report:
    """The host key of the bastion behind a jump host has changed."""
    changed = finding(
        "hostkey.changed",
        title="bastion.example.com shows another host key than the pinned one",
        summary="known_hosts pins SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o; "
        "the host shows SHA256:JpBxP0wX0yX7cFq2o5Q3n1y5r8Kq4eVQzq0m1m1b3hA.",
        remedy=(
            Step(
                "Ask the owner of the bastion whether it was rebuilt, and compare with what it shows on its console",
                "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub",
                ON_BASTION,
            ),
            Step("Only if they agree: forget the old key", "ssh-keygen -R bastion.example.com", HERE),
        ),
        verify=Step(
            "The key is the pinned one",
            "ssh -o StrictHostKeyChecking=yes -J jump@edge.example.com:2222 tunnel@bastion.example.com true",
        ),
        evidence=(
            Evidence(
                "file", "~/.ssh/known_hosts:14 pins ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrH1VWzcVfwZ0kbnVqtkqZ+o"
            ),
            Evidence("message", "the host shows ssh-ed25519 SHA256:JpBxP0wX0yX7cFq2o5Q3n1y5r8Kq4eVQzq0m1m1b3hA"),
        ),
    )

    def on_edge(id_: str, title: str = "") -> CheckReport:
        check = healthy_check(id_)
        return replace(check, hop="via-1", title=title or check.title)

    key = healthy_check("key.private-key")
    hop = healthy_check("forward.open")
    later = ("auth.login", "forward.open", "db.tls", "db.login", "idle.known-cutoffs")
    all_checks = (
        healthy_check("config.tunnel"),
        on_edge("key.private-key"),
        key,
        on_edge("dns.resolve", "the jump host's name resolves"),
        on_edge("tcp.connect", "the jump host's port answers"),
        on_edge("ssh.handshake"),
        on_edge("hostkey.verify"),
        on_edge("auth.login", "the jump host accepts the key"),
        replace(hop, id="forward.hop", hop="bastion", title="the hop in front reaches the bastion"),
        healthy_check("ssh.handshake"),
        ended("hostkey.verify", Status.FAIL, changed),
        *(blocked(each, "hostkey.verify", "hostkey.changed") for each in later),
    )
    return report(
        all_checks,
        diagnosis(changed, "bastion", Layer.HOSTKEY),
        Verdict.BROKEN,
        tunnel=replace(ORDERS, hops=(EDGE, BASTION)),
        path=(
            PathHop("here"),
            PathHop("via-1", "203.0.113.80:2222", 3.14, Status.PASS),
            PathHop("bastion", None, 24.1, Status.FAIL),
            PathHop("database"),
        ),
        facts={
            "via-1.address": "203.0.113.80",
            "via-1.latency_ms": 3.14,
            "via-1.software": "OpenSSH_9.7",
            "via-1.host_key": "SHA256:xq4Qf1Jb1v3d6m0p2Yc8y1o7Hn5c2Vq9Y0s3m7bWb8k",
            "bastion.software": "OpenSSH_9.2p1",
        },
    )


def hostile() -> Report:
    """A server that would like to write on the reader's terminal, ticket and build page."""
    nasty = (
        "\x1b[31m</failure>]]> `rm -rf` ``` \r\n```\n# [click](https://evil.example) "
        "<img src=x> **|** @everyone & \u202eevil\x00"
    )
    wrong = finding(
        "ssh.not-ssh",
        title="bastion.example.com:22 answers `<b>HTTP</b>` | **not** SSH \x1b[2J",
        summary=f"The first bytes are {nasty}",
        params={"banner": nasty},
        remedy=(
            Step(
                "Ask what listens there `now` </td>", "sudo ss -ltnp 'sport = :22' # ``` \x1b]0;title\x07", ON_BASTION
            ),
        ),
        evidence=(Evidence("bytes", nasty), Evidence("bytes", "`" * 12)),
    )
    last = ("hostkey.verify", "auth.login", "forward.open", "db.tls", "db.login", "idle.known-cutoffs")
    changes = {each.replace(".", "_").replace("-", "_"): blocked(each, "ssh.handshake", "ssh.not-ssh") for each in last}
    return report(
        checks(ssh_handshake=ended("ssh.handshake", Status.FAIL, wrong), **changes),
        diagnosis(wrong, "bastion", Layer.SSH),
        Verdict.BROKEN,
        path=path(Status.FAIL, None),
        facts={"bastion.software": nasty, "bastion.address": "203.0.113.2"},
        tunnel=replace(ORDERS, name="orders\x1b[5m|`x`"),
        redacted=Redacted(removed={"secret": 2}),
    )
