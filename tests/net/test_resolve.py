"""Names that need no DNS, names that can't exist, and the hosts file."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tunneldoctor.net.resolve import (
    HostsEntry,
    LookupFailure,
    Resolved,
    SystemLookup,
    flaw,
    hosts_entries,
    needs_no_dns,
)


def test_the_system_resolves_localhost() -> None:
    result = SystemLookup("localhost").wait(5)
    assert isinstance(result, Resolved)
    assert "127.0.0.1" in result.addresses


def test_a_label_that_is_too_long_fails_instead_of_raising() -> None:
    assert isinstance(SystemLookup("a" * 64 + ".example.com").wait(5), LookupFailure)


@pytest.mark.parametrize(
    ("host", "says"),
    [
        ("bastion..example.com", "empty"),
        (".example.com", "empty"),
        ("a" * 64 + ".example.com", "longer than 63"),
        (".".join(["abcdefgh"] * 40), "longer than 253"),
        ("bastion example.com", "' '"),
        ("ssh://bastion", "':'"),
        ("tunnel@bastion.example.com", "'@'"),
    ],
)
def test_a_name_that_cannot_exist_is_told_with_the_reason(host: str, says: str) -> None:
    assert says in (flaw(host) or "")


@pytest.mark.parametrize("host", ["bastion", "bastion.example.com", "bastion.example.com.", "bücher.example", "_x.y"])
def test_a_name_that_may_exist_has_no_flaw(host: str) -> None:
    assert flaw(host) is None


def test_the_hosts_file_is_read_by_line_with_aliases_comments_and_any_case(tmp_path: Path) -> None:
    path = tmp_path / "hosts"
    path.write_text(
        "# comment\n127.0.0.1 localhost\n203.0.113.2\tbastion.example.com Bastion # old\n"
        "2001:db8::2 bastion\nnonsense bastion\n# 192.0.2.1 bastion\n"
    )
    assert hosts_entries("BASTION", path) == (HostsEntry(3, "203.0.113.2"), HostsEntry(4, "2001:db8::2"))
    assert needs_no_dns("bastion.example.com.", path)
    assert not needs_no_dns("other.example.com", path)


@pytest.mark.parametrize("host", ["203.0.113.2", "2001:db8::2", "fe80::1%eth0", "localhost", "db.localhost"])
def test_addresses_and_localhost_need_no_dns(host: str, tmp_path: Path) -> None:
    assert needs_no_dns(host, tmp_path / "none")


def test_resolving_loads_no_dns_library() -> None:
    modules = "tunneldoctor.net.resolve, tunneldoctor.net.connect"
    code = f"import sys, {modules}; assert not {{'dns', 'psutil'}} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
