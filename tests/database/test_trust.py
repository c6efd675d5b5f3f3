"""Whom the client trusts, by its own settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from tunneldoctor.database.trust import client_certificate, is_loopback, roots_of, server_name_to_send, verifies_issuer
from tunneldoctor.model import Database, Tls


def database(mode: str = "require", host: str = "db.example", dialect: str = "libpq", **tls: str) -> Database:
    return Database("postgresql", host, 5432, tls=Tls(mode, **tls), dialect=dialect)


def test_without_a_root_require_verifies_nothing(home: Path) -> None:
    asked = database()
    assert not roots_of(asked).usable
    assert not verifies_issuer(asked, roots_of(asked))


def test_a_root_file_makes_require_verify_the_issuer_for_libpq_alone(home: Path) -> None:
    (home / "root.pem").touch()
    libpq = database(root_certificate=str(home / "root.pem"))
    jdbc = database(root_certificate=str(home / "root.pem"), dialect="jdbc")
    assert verifies_issuer(libpq, roots_of(libpq))
    assert not verifies_issuer(jdbc, roots_of(jdbc))


def test_full_verification_looks_in_the_home_folder(home: Path) -> None:
    roots = roots_of(database("verify-full"))
    assert roots.path == home / ".postgresql" / "root.crt"
    assert roots.missing


def test_the_systems_roots_are_named() -> None:
    assert roots_of(database("verify-full", root_certificate="system")).system


@pytest.mark.parametrize(
    ("host", "sent"), [("db.example", "db.example"), ("db.example.", "db.example"), ("10.0.0.1", None), ("::1", None)]
)
def test_no_address_is_sent_as_a_server_name(host: str, sent: str | None) -> None:
    assert server_name_to_send(database(host=host)) == sent


@pytest.mark.parametrize(
    ("host", "here"),
    [("localhost", True), ("db.localhost.", True), ("127.8.9.1", True), ("::1", True), ("10.0.0.1", False),
     ("localhost.example", False)],
)  # fmt: skip
def test_loopback_is_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here


def test_a_client_certificate_in_the_home_folder_is_found(home: Path) -> None:
    assert client_certificate(database()) is None
    (home / ".postgresql").mkdir()
    (home / ".postgresql" / "postgresql.crt").touch()
    pair = client_certificate(database())
    assert pair and pair.problem() == f"{home}/.postgresql/postgresql.key does not exist"
