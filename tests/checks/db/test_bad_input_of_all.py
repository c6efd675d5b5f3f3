"""What no honest server of any engine sends: it is named or cut short, in time, and harmless to read.

The servers here are in-process, because a real one can't be brought to any of it.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.checks.db.conftest import Examine, codes, database, tunnel
from tests.checks.db.test_bad_input import certificate_of_many_names
from tests.database import tds_server as tds
from tests.database.test_mongodb import ALONE, answer
from tests.database.test_oracle import packet, refuse
from tunneldoctor.model import FindingReport, Report, Tls

SIXTEEN_MEGABYTES = 16 * 1024 * 1024
NASTY = "\x1b[2J\x1b]8;;http://x\x07\0 FAKE: healthy\u202e\u2028\x9b31m"
ENGINES = ("postgresql", "mysql", "redis", "sqlserver", "mongodb", "oracle")
GREETING = b"\x0a8.0.36\0" + bytes(4) + b"saltsalt\0\xff\xff\x2d\x02\0\xff\xdf\x15" + bytes(10) + b"saltsaltsalt\0"
GREETING += b"mysql_native_password\0"


def of_postgresql(kind: bytes, body: bytes) -> bytes:
    return kind + (len(body) + 4).to_bytes(4, "big") + body


def of_mysql(body: bytes, number: int = 0) -> bytes:
    return len(body).to_bytes(3, "little") + bytes([number]) + body


#: The beginning of an answer that claims to be sixteen megabytes long, in each engine's own form.
HUGE = {
    "postgresql": b"R" + SIXTEEN_MEGABYTES.to_bytes(4, "big"),
    "mysql": b"\xff\xff\xff\0\x0a",
    "redis": b"$%d\r\n" % SIXTEEN_MEGABYTES,
    "sqlserver": tds.packet(bytes(4000), last=False) * 4200,
    "mongodb": SIXTEEN_MEGABYTES.to_bytes(4, "little"),
    "oracle": b"\xff\xff\0\0\x02\0\0\0",
}
#: A whole answer of each engine's, of which one half is sent.
GOOD = {
    "postgresql": of_postgresql(b"R", b"\0\0\0\x0aSCRAM-SHA-256\0\0"),
    "mysql": of_mysql(GREETING),
    "redis": b"-NOAUTH Authentication required.\r\n",
    "sqlserver": tds.packet(tds.prelogin(tds.NOT_SUPPORTED)),
    "mongodb": ALONE,
    "oracle": refuse(12514),
}
#: The same short and lawful thing again and again, where one is due.
AGAIN = {
    "postgresql": of_postgresql(b"N", b"SNOTICE\0\0"),
    "mysql": of_mysql(GREETING),
    "redis": b"+PONG\r\n",
    "sqlserver": tds.packet(tds.prelogin(tds.NOT_SUPPORTED)),
    "mongodb": ALONE,
    "oracle": packet(11),
}


def words(engine: str, text: str) -> bytes:
    """An error with *text* in it, as the first thing that the server says."""
    return {
        "postgresql": of_postgresql(b"E", f"SFATAL\0VFATAL\0C57P03\0M{text}\0D{text}\0Rx\0\0".encode()),
        "mysql": of_mysql(b"\xff\x1d\x04" + text.encode()),
        "redis": b"-LOADING " + text.encode() + b"\r\n",
        "sqlserver": tds.packet(tds.error(17187, text) + tds.DONE),
        "mongodb": answer(code=91, errmsg=text.replace("\0", "\1"), failed=0),
        "oracle": packet(4, b"\x22\0\0\0(ERR=12528)" + text.encode()),
    }[engine]


def first(engine: str, said: bytes) -> Callable[[socket.socket], object]:
    """Say that, first of all or in answer, as the engine's servers do; then listen."""

    def behave(connection: socket.socket) -> None:
        if engine != "mysql":
            connection.recv(65536)
        connection.sendall(said)
        while connection.recv(65536):
            pass

    return behave


Examined = Callable[..., Report]


@pytest.fixture
def examined(examine: Examine, server: Callable[..., int]) -> Examined:
    def run(engine: str, behave: Callable[[socket.socket], object], tls: Tls | None = None, **more: Any) -> Report:
        asked = replace(database(server(*(behave,) * 8), tls=tls or Tls("disable")), engine=engine)
        return examine(tunnel(asked, **{"connect_timeout": 3.0, **more}))

    return run


def worst(report: Report) -> FindingReport:
    """The only finding but for the warning about clear text; and no check came to grief over it."""
    assert not [check.id for check in report.checks if check.status == "error"]
    (found,) = [each for check in report.checks for each in check.findings if each.code != "db.tls-off"]
    return found


def harmless(report: Report) -> str:
    """All that is shown, which has no control characters in it and is short enough to be read."""
    every = [each for check in report.checks for each in check.findings]
    shown = "".join(each.title + each.summary + "".join(seen.text for seen in each.evidence) for each in every)
    assert len(shown) < 10_000
    assert all(character.isprintable() or character == "\n" for character in shown)
    return shown


@pytest.mark.parametrize("engine", ENGINES)
def test_a_greeting_of_sixteen_megabytes_is_not_read_to_its_end(examined: Examined, engine: str) -> None:
    sent: list[int] = []

    def flood(connection: socket.socket) -> None:
        if engine != "mysql":
            connection.recv(65536)
        whole = HUGE[engine].ljust(SIXTEEN_MEGABYTES, b"A")
        with suppress(OSError):
            for at in range(0, SIXTEEN_MEGABYTES, 65536):
                connection.sendall(whole[at : at + 65536])
                sent.append(65536)

    report = examined(engine, flood)
    assert worst(report).code in ("db.wrong-service", "db.unclassified")
    assert sum(sent) < SIXTEEN_MEGABYTES
    harmless(report)


@pytest.mark.parametrize("engine", ENGINES)
def test_half_a_greeting_and_then_silence_is_no_answer(examined: Examined, engine: str) -> None:
    half = GOOD[engine][: len(GOOD[engine]) // 2]
    found = worst(examined(engine, first(engine, half), connect_timeout=1.0))
    assert (found.code, found.params["received"]) == ("db.no-answer", len(half))


@pytest.mark.parametrize("engine", ENGINES)
def test_half_a_greeting_and_then_another_protocol_is_named_or_bounded(examined: Examined, engine: str) -> None:
    half = GOOD[engine][: len(GOOD[engine]) // 2]
    report = examined(engine, first(engine, half + b"SSH-2.0-OpenSSH_9.2p1\r\n" * 8), connect_timeout=1.0)
    assert not [check.id for check in report.checks if check.status == "error"]
    likely = {"db.wrong-service", "db.unclassified", "db.no-answer", "db.auth-method-unsupported"}
    assert set(codes(report)) - {"db.tls-off"} <= likely
    assert report.exit_code in (1, 3)
    harmless(report)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_answer_without_an_end_ends(examined: Examined, engine: str) -> None:
    def pour(connection: socket.socket) -> None:
        if engine != "mysql":
            connection.recv(65536)
        with suppress(OSError):
            for _ in range(2000):
                connection.sendall(AGAIN[engine] * 50)

    report = examined(engine, pour, connect_timeout=2.0)
    assert not [check.id for check in report.checks if check.status == "error"]
    assert (report.exit_code == 0) == (engine == "redis")  # there it is what one asks for with PING
    harmless(report)


@pytest.mark.parametrize("engine", ENGINES)
def test_nul_bytes_and_terminal_controls_in_an_error_are_made_visible(examined: Examined, engine: str) -> None:
    report = examined(engine, first(engine, words(engine, NASTY)))
    worst(report)
    assert "\\x1b" in harmless(report) or "␛" in harmless(report)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_error_of_a_million_characters_is_cut(examined: Examined, engine: str) -> None:
    report = examined(engine, first(engine, words(engine, "x" * 30_000)))
    worst(report)
    harmless(report)


@pytest.mark.parametrize("engine", ["redis", "mongodb", "mysql"])
@pytest.mark.parametrize(("count", "code"), [(3000, "db.tls-name-mismatch"), (10_000, "db.tls-handshake-failed")])
def test_a_certificate_with_thousands_of_names_is_judged_and_shown_in_short(
    examined: Examined, tmp_path: Path, engine: str, count: int, code: str
) -> None:
    """OpenSSL itself takes no chain of more than 100 KiB, which 10,000 names are."""
    context = certificate_of_many_names(tmp_path, count)
    said = {"redis": b"+PONG\r\n", "mongodb": ALONE, "mysql": of_mysql(b"\xff\x15\x04no", 3)}[engine]

    def shake_hands(connection: socket.socket) -> None:
        if engine == "mysql":
            connection.sendall(of_mysql(GREETING))
            connection.recv(36)
        with context.wrap_socket(connection, server_side=True) as inside:
            inside.recv(65536)
            inside.sendall(said)

    full = Tls("verify-full", root_certificate=str(tmp_path / "root.pem"))
    report = examined(engine, shake_hands, full)
    assert not [check.id for check in report.checks if check.status == "error"]
    assert code in codes(report)
    assert "n20.example" not in harmless(report)
