"""The script itself, run by the shells that bastions have: it tells what it should, and writes nothing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.bastion.looks import KEY
from tests.ssh.real_sshd import needs_sshd, sshd
from tunneldoctor.bastion.reading import Look, read
from tunneldoctor.bastion.subject import Subject, script, script_about
from tunneldoctor.catalog import Catalog, command, tunnel_values
from tunneldoctor.model import Address, Hop, Tunnel
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
SYMPTOMS = ["auth.publickey-refused", "forward.prohibited", "ssh.closed-before-banner"]


def run(argv: list[str], text: str, **environment: str) -> Look:
    done = subprocess.run(
        argv, input=text, text=True, capture_output=True, timeout=60, check=False, env=os.environ | environment
    )
    return read(done.stdout)


@pytest.mark.parametrize("shell", INSTALLED)
def test_every_shell_runs_it_to_the_end(shell: list[str]) -> None:
    look = run(shell, f"(\n{script_about(ME)}\n)\n", SSH_CONNECTION="203.0.113.7 4022 10.0.0.5 22")
    assert look.complete
    assert set(SECTIONS) | {"dns", "route", "connect"} <= {section.name for section in look.sections}
    assert all(section.status is not None for section in look.sections if section.name != "about")
    assert look.values()["from"] == "203.0.113.7"
    assert look.values()["key"] == KEY
    assert "refused" in look.text("connect")


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


@needs_sshd
def test_a_block_that_was_copied_with_its_indentation_finds_the_same_sshd() -> None:
    with sshd() as server:
        straight = f"(\n{script_about(replace(ME, port=server.port))}\n)\n"
        seen = [run(["dash"], text).text("sshd") for text in (straight, straight.replace("\n", "\n      "))]
    assert f"listenaddress 127.0.0.1:{server.port}\n" in seen[0]
    assert f"listenaddress 127.0.0.1:{server.port}\n" in seen[1]


def test_no_value_gets_out_of_its_quotes(tmp_path: Path) -> None:
    trap = f"x'; touch {tmp_path}/trap; $(touch {tmp_path}/trap) `touch {tmp_path}/trap` \\"
    subject = Subject("auth.publickey-refused", trap, 22, trap, trap, key=trap, algorithm=trap, certificate=trap)
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


def test_it_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    subprocess.run(["dash"], input=script_about(ME), text=True, capture_output=True, timeout=60, check=False,
                   cwd=tmp_path / "home", env=os.environ | {"HOME": str(tmp_path / "home")})  # fmt: skip
    assert list((tmp_path / "home").iterdir()) == []
    written = re.findall(r">+ ?([^\s;)}'$]+)", script())
    assert {target.strip('"\\') for target in written} <= {"&1", "/dev/null", "/dev/tcp/"}


def test_an_interactive_shell_finds_no_history_in_it() -> None:
    assert "!" not in script()
    assert "\t" not in script()
