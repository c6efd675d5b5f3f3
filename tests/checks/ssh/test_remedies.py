"""The remedies of the ssh, auth and forward pages, run as far as they can be run here."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ssh.real_sshd import SSHD, generate, needs_sshd, throw_away_user
from tunneldoctor.catalog import Catalog, command
from tunneldoctor.model import Step
from tunneldoctor_checks import PACKAGE

LAYERS = ("ssh.", "auth.", "forward.")
CATALOG = Catalog.of([PACKAGE])
VALUES = {
    "bastion_host": "bastion.example.com",
    "bastion_port": 22,
    "bastion_username": "root",
    "egress_address": "203.0.113.7",
    "remote_host": "db.internal.corp",
    "remote_port": 5432,
    "private_key": "/home/me/.ssh/orders",
}
#: Only OpenSSH 9.8 and later has it.
NEWER = {"PerSourcePenaltyExemptList"}


def steps() -> Iterator[tuple[str, Step]]:
    for page in CATALOG:
        if page.code.startswith(LAYERS):
            looks = [each.step for each in page.next_steps]
            for step in [*page.remedy, *looks, *([page.verify] if page.verify else [])]:
                yield page.code, step


def commands(fragment: str) -> list[tuple[str, str]]:
    return [(code, step.command) for code, step in steps() if step.command and fragment in step.command]


@needs_sshd
@pytest.mark.parametrize(("code", "template"), commands("sudo tee /etc/ssh/sshd_config.d/"))
def test_settings_that_are_advised_are_settings_that_sshd_takes(code: str, template: str, tmp_path: Path) -> None:
    writing = command(template, VALUES).split("| sudo tee /etc/ssh/sshd_config.d/")[0].split("&&")[-1]
    lines = subprocess.run(["bash", "-c", writing], capture_output=True, text=True, check=True).stdout
    assert lines.strip()
    if lines.split()[0] in NEWER:
        pytest.skip(f"{code} is for a newer sshd")
    config = tmp_path / "sshd_config"
    config.write_text(f"HostKey {generate(tmp_path / 'host')}\n{lines}\nMatch all\n")
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    tested = subprocess.run([SSHD, "-t", "-f", str(config)], capture_output=True, text=True, check=False)
    assert tested.returncode == 0, tested.stderr


@needs_sshd
@pytest.mark.parametrize(("code", "template"), commands("sshd -T -C"))
def test_the_rules_in_force_for_a_user_are_shown_by_the_advised_command(code: str, template: str) -> None:
    asking = command(template, VALUES).removeprefix("sudo ")
    shown = subprocess.run(["bash", "-c", asking], capture_output=True, text=True, check=False)
    assert shown.stdout.strip(), f"{code}: {asking}: {shown.stderr}"


@needs_sshd
@pytest.mark.parametrize("tool", ["namei -l", "ssh-keygen -lf", "chmod go-w", "passwd -S", "chage -E", "usermod -p"])
def test_what_is_advised_for_an_account_works_on_an_account(tool: str, tmp_path: Path) -> None:
    key = generate(tmp_path / "key")
    with throw_away_user() as user:
        folder = Path(user.pw_dir) / ".ssh"
        folder.mkdir()
        (folder / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
        named = [template for _, template in commands(tool) if "{bastion_username}" in template]
        advised = [template for template in named if "{private_key}" not in template]
        assert advised
        for template in advised:
            line = command(template, {**VALUES, "bastion_username": user.pw_name}).replace("sudo ", "")
            done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
