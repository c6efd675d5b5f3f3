"""The script itself, run by the shells that bastions have: it tells what it should, and writes nothing."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bastion.looks import KEY
from tests.ssh.real_sshd import needs_sshd, sshd
from tunneldoctor.bastion.reading import Look, read
from tunneldoctor.bastion.subject import Subject, script, script_about
from tunneldoctor.catalog import Catalog, command, tunnel_values
from tunneldoctor.model import Address, Database, Hop, Tunnel
from tunneldoctor_checks import PACKAGE

SHELLS = [["dash"], ["bash", "--posix"], ["bash", "-i"], ["busybox", "sh"]]
INSTALLED = [
    pytest.param(s, id=s[0] + s[-1], marks=() if shutil.which(s[0]) else pytest.mark.skip(reason="not installed"))
    for s in SHELLS
]
SECTIONS = [
    "about",
    "self",
    "id",
    "account",
    "shadow",
    "shell",
    "nologin",
    "sshd",
    "path",
    "keys",
    "selinux",
    "log",
    "firewall",
]
ME = Subject("auth.publickey-refused", os.environ.get("USER", "root"), 22, key=KEY, target=Address("127.0.0.1", 9))
TO_THE_DATABASE = Subject(
    "db.tls-stalled", "me", 22, target=Address("127.0.0.1", 9), engine="postgresql", name="db.lab"
)
SYMPTOMS = ["auth.publickey-refused", "forward.prohibited", "ssh.closed-before-banner"]
SCRIPTS = pytest.mark.parametrize("symptom", ["auth.publickey-refused", "db.no-answer"], ids=["look", "database"])


def run(argv: list[str], text: str, **environment: str) -> Look:
    done = subprocess.run(
        argv, input=text, text=True, capture_output=True, timeout=60, check=False, env=os.environ | environment
    )
    return read(done.stdout)


@pytest.mark.parametrize("shell", INSTALLED)
def test_every_shell_runs_it_to_the_end(shell: list[str]) -> None:
    look = run(shell, f"(\n{script_about(ME)}\n)\n", SSH_CONNECTION="203.0.113.7 4022 10.0.0.5 22")
    assert look.complete
    assert set(SECTIONS) <= {section.name for section in look.sections}
    assert all(section.status is not None for section in look.sections if section.name != "about")
    assert look.values()["from"] == "203.0.113.7"
    assert look.values()["key"] == KEY


@pytest.mark.parametrize("shell", INSTALLED)
@pytest.mark.parametrize(
    ("symptom", "engine", "sections"),
    [
        ("forward.connect-failed", "postgresql", ["dns", "route", "connect"]),
        ("db.host-not-allowed", "postgresql", ["dns", "route"]),
        ("db.tls-expired", "redis", ["dns", "route", "tls"]),
        ("db.no-answer", "postgresql", ["dns", "route", "tls"]),
        ("db.tls-stalled", "mariadb", ["dns", "route", "sizes"]),
    ],
)
def test_every_shell_looks_along_the_way_to_the_database(
    shell: list[str], symptom: str, engine: str, sections: list[str]
) -> None:
    look = run(shell, f"(\n{script_about(replace(TO_THE_DATABASE, symptom=symptom, engine=engine))}\n)\n")
    assert look.complete
    assert [section.name for section in look.sections] == ["about", "self", *sections]
    assert all(section.status is not None for section in look.sections if section.name != "about")
    if sections[-1] in ("connect", "tls"):
        assert "Connection refused" in look.sections[-1].text


def test_a_server_of_mysqls_is_not_connected_to() -> None:
    """A connection without a login counts there against everybody behind the bastion."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        run(["dash"], script_about(replace(TO_THE_DATABASE, engine="mariadb", target=Address("127.0.0.1", port))))
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@SCRIPTS
@pytest.mark.skipif(not shutil.which("shellcheck"), reason="not installed")
def test_shellcheck_has_nothing_to_say(symptom: str) -> None:
    done = subprocess.run(["shellcheck", "-s", "sh", "-"], input=script(symptom), text=True, capture_output=True)
    assert done.stdout == ""


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_the_block_of_a_page_is_the_script_with_this_tunnels_values(symptom: str) -> None:
    tunnel = Tunnel("it's", (Hop("bastion", "b.example", 22, "root"),), Address("db.internal", 5432))
    values = tunnel_values(tunnel, "bastion", {}) | {"public_key": KEY, "algorithm": None}
    step = Catalog.of([PACKAGE]).page(symptom).next_steps[0].step
    look = run(["dash"], command(step.command or "", values))
    subject = Subject.of(look.values())
    assert look.complete
    assert (subject.symptom, subject.tunnel, subject.host, subject.user) == (symptom, "it's", "b.example", "root")
    assert (subject.address, subject.algorithm, subject.certificate) == ("", "", "")
    if symptom != "ssh.closed-before-banner":
        assert (subject.key, str(subject.target)) == (KEY, "db.internal:5432")


@pytest.mark.parametrize("symptom", ["db.tls-stalled", "db.no-answer"])
def test_the_block_about_the_database_is_the_script_with_this_tunnels_values(symptom: str) -> None:
    database = Database("postgresql", "db.example", 5432)
    bastion = Hop("bastion", "b.example", 22, "root")
    tunnel = Tunnel("it's", (bastion,), Address("127.0.0.1", 9), database)
    (step,) = (each for each in Catalog.of([PACKAGE]).page(symptom).remedy if "symptom=" in (each.command or ""))
    look = run(["dash"], command(step.command or "", tunnel_values(tunnel, "database", {})))
    subject = Subject.of(look.values())
    assert look.complete
    assert (subject.symptom, subject.tunnel, subject.host, subject.user) == (symptom, "it's", "b.example", "root")
    assert (str(subject.target), subject.engine, subject.name) == ("127.0.0.1:9", "postgresql", "db.example")
    assert (subject.address, subject.presented) == ("", "")
    assert "Connection refused" in look.text("tls", "127.0.0.1")


@needs_sshd
def test_a_block_that_was_copied_with_its_indentation_finds_the_same_sshd() -> None:
    with sshd() as server:
        straight = f"(\n{script_about(replace(ME, port=server.port))}\n)\n"
        seen = [run(["dash"], text).text("sshd") for text in (straight, straight.replace("\n", "\n      "))]
    assert f"listenaddress 127.0.0.1:{server.port}\n" in seen[0]
    assert f"listenaddress 127.0.0.1:{server.port}\n" in seen[1]


@SCRIPTS
def test_no_value_gets_out_of_its_quotes(symptom: str, tmp_path: Path) -> None:
    trap = f"x'; touch {tmp_path}/trap; $(touch {tmp_path}/trap) `touch {tmp_path}/trap` \\"
    subject = Subject(
        symptom, trap, 22, trap, trap, key=trap, algorithm=trap, certificate=trap, target=Address(trap, 1),
        engine="postgresql", name=trap, presented=trap,
    )  # fmt: skip
    look = run(["dash"], script_about(subject))
    assert look.complete
    assert not (tmp_path / "trap").exists()


def test_of_the_keys_of_others_only_names_and_fingerprints_are_told(tmp_path: Path) -> None:
    other = "AAAAC3NzaC1lZDI1NTE5AAAAIJ2b8lUPfYrTCBUGhDVkJLTCJQ3ZVbVFVuvkcWUJ2bZm"
    file = tmp_path / "authorized_keys"
    file.write_text(
        f'command="deploy --token s3cret",from="10.9.8.7" ssh-ed25519 {other} theirs\n\n# note\n'
        f'from="192.0.2.1",environment="A=s3cret" {KEY} ours\nssh-ed25519 {KEY.split()[1][:66]}\nnonsense\n'
    )
    text = script_about(ME).replace("printf '%s\\n' \"symptom", f"keys {file}; exit\nprintf '%s\\n' \"symptom")
    done = subprocess.run(["dash"], input=text, text=True, capture_output=True, timeout=60, check=False)
    first, second, third, fourth = done.stdout.splitlines()
    assert other not in done.stdout
    assert "s3cret" not in done.stdout
    assert "10.9.8.7" not in done.stdout
    assert first.startswith("1 other 256 SHA256:")
    assert first.endswith('theirs (ED25519) options: command="...",from="..."')
    assert second.startswith("4 ours 256 SHA256:iev6ro9T")
    assert second.endswith('options: from="192.0.2.1",environment="..."')
    assert third.startswith("5 damaged unreadable")
    assert fourth.startswith("6 other unreadable")


@pytest.mark.skipif(os.geteuid() != 0, reason="reading /etc/shadow needs root")
def test_no_hash_of_a_password_is_told(tmp_path: Path) -> None:
    shadow = tmp_path / "shadow"
    shadow.write_text("tunnel:!$6$s3cret$hash:20000:0:99999:7::18262:\nothers:$6$x$y:1:0:99999:7:::\n")
    text = script_about(Subject("auth.publickey-refused", "tunnel", 22)).replace("/etc/shadow |", f"{shadow} |")
    look = run(["dash"], text)
    assert look.text("shadow") == "password locked changed 20000 maximum 99999 expires 18262"
    assert "$6$" not in str(look)


@SCRIPTS
def test_it_writes_nothing(symptom: str, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    text = script_about(replace(TO_THE_DATABASE, symptom=symptom))
    subprocess.run(["dash"], input=text, text=True, capture_output=True, timeout=60, check=False,
                   cwd=tmp_path / "home", env=os.environ | {"HOME": str(tmp_path / "home")})  # fmt: skip
    assert list((tmp_path / "home").iterdir()) == []
    written = re.findall(r">+ ?([^\s;)}'$]+)", script(symptom))
    assert {target.strip('"\\') for target in written} <= {"&1", "/dev/null", "/dev/tcp/"}


@SCRIPTS
def test_an_interactive_shell_finds_no_history_in_it(symptom: str) -> None:
    assert "!" not in script(symptom)
    assert "\t" not in script(symptom)
