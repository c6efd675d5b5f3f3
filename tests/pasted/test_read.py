"""What people paste is wrapped, quoted, coloured, in another encoding, or a log of everybody's logins."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path

import pytest

from tunneldoctor.catalog import Catalog
from tunneldoctor.model import Hop, Tunnel
from tunneldoctor.pasted import NotText, Told, blocks, scan, told
from tunneldoctor.pasted.text import OVERLAP
from tunneldoctor_checks import PACKAGE

CATALOG = Catalog.of([PACKAGE])
PAGES = list(CATALOG)
SOMEBODY = Tunnel("TUNNEL", (Hop("bastion", None),), None)
OFFERED = "debug1: Offering public key: /home/me/.ssh/id_ed25519 ED25519 SHA256:abc\n"
DENIED = "tunnel@bastion.example.com: Permission denied (publickey).\n"
REFUSED = 'psql: error: connection to server at "127.0.0.1", port 5433 failed: Connection refused\n'
MODES = "sshd[7]: Authentication refused: bad ownership or modes for directory /home/tunnel\n"


def read(text: str | bytes) -> list[Told]:
    data = text.encode() if isinstance(text, str) else text
    return told(scan(blocks(io.BytesIO(data)), PAGES), CATALOG, SOMEBODY)


def codes(text: str | bytes) -> list[str]:
    return [each.finding.code for each in read(text)]


def test_a_client_and_a_servers_log_pasted_together_name_the_cause() -> None:
    (only,) = read(OFFERED + DENIED + MODES)
    assert (only.finding.code, only.finding.symptom) == ("auth.bad-permissions", "auth.publickey-refused")
    assert [line.number for line in only.lines] == [2, 3]
    assert any("/home/tunnel" in evidence.text for evidence in only.finding.evidence)


def test_what_a_companys_own_layer_knows_comes_last(tmp_path: Path) -> None:
    page = next(each for each in PAGES if each.code == "tcp.refused").path.read_text()
    (tmp_path / "vpn").mkdir()
    (tmp_path / "vpn" / "down.md").write_text(page.replace("---\n", "---\nsigns: [{by: vpn, line: VPN down}]\n", 1))
    catalog = Catalog([*CATALOG.folders, tmp_path])
    found = told(scan(blocks(io.BytesIO(b"VPN down\n" + MODES.encode())), catalog), catalog, SOMEBODY)
    assert [each.finding.code for each in found] == ["auth.bad-permissions", "vpn.down"]


def test_a_line_about_another_user_proves_nothing_of_this_login() -> None:
    log = "sshd[7]: User backup from 10.0.0.9 not allowed because account is locked\n"
    locked = "sshd[7]: User backup not allowed because account is locked\n"
    first = next(each for each in read(OFFERED + DENIED + log + locked) if each.finding.code.startswith("auth.public"))
    assert len(first.finding.causes) > 10


def test_a_key_that_was_refused_first_and_taken_later_is_no_fault() -> None:
    log = "Failed publickey for tunnel from 10.0.0.9 port 4000 ssh2: ED25519 SHA256:abc\n"
    taken = "Accepted publickey for tunnel from 10.0.0.9 port 4000 ssh2: ED25519 SHA256:def\n"
    other = "Failed publickey for backup from 10.0.0.8 port 4000 ssh2: ED25519 SHA256:abc\n"
    assert codes(log) == ["auth.publickey-refused"]
    assert codes(log + taken) == []
    assert codes(log + taken + other) == ["auth.publickey-refused"]


@pytest.mark.parametrize(
    "pasted",
    [
        '> psql: error: connection to server at "127.0.0.1", port 5433\n> failed: Connection refused\n',
        '\x1b[31mpsql: error: connection to server at "127.0.0.1", port 5433 failed: Connection refused\x1b[0m\n',
        '{"log":"psql: error: connection to server at \\"127.0.0.1\\", port 5433 failed: Connection refused\\n"}\n',
        REFUSED.replace("\n", "\r\n"),
        REFUSED.encode("utf-16"),
        REFUSED.encode("utf-16-le"),
        "umlaut: ä\n".encode("latin-1") + REFUSED.encode(),
        "x" * 3_000_000 + " " + REFUSED,
    ],
    ids=["quoted and wrapped", "coloured", "JSON", "CRLF", "UTF-16", "UTF-16 without a mark", "mixed", "endless line"],
)
def test_the_form_it_is_pasted_in_does_not_matter(pasted: str | bytes) -> None:
    assert codes(pasted) == ["forward.not-open"]


def test_a_line_between_two_pieces_is_found_once() -> None:
    for before in (1024 * 1024 - 40, 1024 * 1024 - OVERLAP, 1024 * 1024 - OVERLAP - 40):
        (only,) = read("." * (before - 1) + "\n" + REFUSED + "." * 2 * OVERLAP)
        assert only.count == 1
        assert only.lines[0].number == 2


def test_escape_sequences_of_the_text_do_not_reach_the_screen() -> None:
    (only,) = read("\x1b]0;owned\x07" + REFUSED.replace("psql", "ps\x9bql"))
    assert "\x9b" not in only.lines[0].text
    assert "\x1b" not in only.finding.evidence[0].text


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"\x1f\x8b\x08" + bytes(20), "gunzip"), (bytes(range(32)) * 100, "no text")],
    ids=["compressed", "binary"],
)
def test_what_is_no_text_is_said(data: bytes, words: str) -> None:
    with pytest.raises(NotText, match=words):
        read(data)


def test_memory_does_not_grow_with_the_log() -> None:
    class Log(io.RawIOBase):
        """Sixteen MiB of lines."""

        left = 16

        def read(self, size: int = -1) -> bytes:
            self.left -= 1
            line = b"Nov 22 11:00:00 bastion kernel: nothing that anybody knows in this line of the log\n"
            return (line * (size // len(line) + 1))[:size] if self.left >= 0 else b""

    tracemalloc.start()
    try:
        scan(blocks(Log()), PAGES)  # type: ignore[arg-type]
        assert tracemalloc.get_traced_memory()[1] < 12 * 1024 * 1024
    finally:
        tracemalloc.stop()


def test_nothing_known_tells_nothing() -> None:
    assert read("") == []
    assert read("all is well\n") == []
