"""Whatever a configuration notes, the checks report it once, on one hop."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tunneldoctor.config import load
from tunneldoctor.model import Check, Outcome, Tunnel, Where
from tunneldoctor_checks.config.database import CHECK as DATABASE
from tunneldoctor_checks.config.database_port import CHECK as DATABASE_PORT
from tunneldoctor_checks.config.helpers import CHECK as HELPERS
from tunneldoctor_checks.config.hop import CHECK as HOP
from tunneldoctor_checks.config.secrets import CHECK as SECRETS
from tunneldoctor_checks.config.target import CHECK as TARGET

CHECKS = (DATABASE, DATABASE_PORT, HELPERS, HOP, SECRETS, TARGET)
CONFIGURATIONS = {
    "nothing": "",
    "urls": """
        ssh_url = "ssh://me@corp@bastion"
        via = ["ssh://edge", "jump@x", {url = "ssh://u:pw@y:5432", private_key = "-----BEGIN"}]
        database = "postgresql://app:p@ss@db/o"
        admin = "bastion"
        run_from = "ssh://x"
        admin_private_key = "-----BEGIN"
    """,
    "names": r"""
        ssh_url = "ssh://tunnel\u200B@bastion.corp "
        private_key = "-----BEGIN"
        private_key_passphrase = "pw"
        bastion_password = "pw"
        remote_bind = "localhost\u200B:5432"
        database = "postgresql://app\u200B:pw@db.\u200Binternal:5433/o"
        database_password = "pw"
    """,
    "mismatch": """
        ssh_url = "ssh://tunnel@bastion:3306"
        private_key = "agent:"
        remote_bind = "other:5432"
        database = "mysql://app@db/o"
    """,
}


def hops(check: Check, tunnel: Tunnel) -> list[str]:
    return [hop.name for hop in tunnel.hops] if check.where is Where.EACH_HOP else ["bastion"]


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_each_problem_is_reported_exactly_once(name: str, run_check: Callable[..., Outcome], tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(f"[tunnels.a]\n{CONFIGURATIONS[name]}")
    tunnel = load(None, {"HOME": str(tmp_path)}, tmp_path).tunnel("a", {})
    assert tunnel.problems
    reported = [
        (finding.code, finding.params["key"], finding.params["origin"], finding.severity)
        for check in CHECKS
        for hop in hops(check, tunnel)
        for finding in run_check(check, tunnel, hop).findings
    ]
    noted = [(each.code, each.key, str(each.origin), each.severity) for each in tunnel.problems]
    assert sorted(map(repr, reported)) == sorted(map(repr, noted))
