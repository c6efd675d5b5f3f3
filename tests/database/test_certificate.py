"""Which names a certificate covers."""

from __future__ import annotations

from typing import Any

import pytest

from tunneldoctor.database.certificate import covers, names


@pytest.mark.parametrize(
    ("listed", "host", "fits"),
    [
        ("db.example", "db.example", True),
        ("db.example", "DB.Example", True),
        ("db.example", "db.example.", False),
        ("db.example", "other.example", False),
        ("*.db.example", "one.db.example", True),
        ("*.db.example", "db.example", False),
        ("*.db.example", "a.b.db.example", False),
        ("*", "example", False),
        ("db.example", "10.0.0.1", False),
    ],
)
def test_a_name_fits_as_clients_compare_it(authority: Any, listed: str, host: str, fits: bool) -> None:
    assert covers(authority.issue(listed).certificate, host) is fits


def test_a_certificate_without_names_is_for_its_common_name(authority: Any) -> None:
    certificate = authority.issue("db.example", names=False).certificate
    assert names(certificate) == ("db.example",)
    assert covers(certificate, "db.example")


def test_a_certificate_that_lists_addresses_alone_is_for_its_common_name_too(authority: Any) -> None:
    certificate = authority.issue("db.example", address="10.1.2.3").certificate
    assert covers(certificate, "db.example")
    assert covers(certificate, "10.1.2.3")
