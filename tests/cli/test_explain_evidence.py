"""``explain-evidence``: what came back from the bastion, explained offline."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bastion.looks import KEY, output
from tests.report.test_to_json import validate

ABSENT = "1 other 256 SHA256:x somebody (RSA) options: "
SHARED = "drwxr-xr-x 1 0 0 1 x /\ndrwxrwxrwx 1 1001 1001 1 x /home/tunnel\n-rw------- 1 1001 1001 1 x "


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    return tmp_path / "look.txt"


def test_the_proven_cause_comes_with_its_remedy_and_the_fault_behind_it(program, evidence: Path) -> None:
    path = SHARED + "/home/tunnel/.ssh/authorized_keys"
    evidence.write_text(output(keys=ABSENT, path=path))
    done = program("explain-evidence", str(evidence))
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.split("and behind it:")
    assert "auth.bad-permissions" in first
    assert "/home/tunnel is drwxrwxrwx" in first
    assert "from the bastion" in first
    assert 'sudo chmod go-w "$home"' in first
    assert "auth.key-not-authorized" in second
    assert KEY in second
    assert not re.search(r"\{[a-z_]+\}", done.stdout)


def test_what_is_left_and_what_is_out_is_told_with_the_reasons(program, evidence: Path) -> None:
    evidence.write_text(output(settings={"authorizedkeyscommand": "/usr/bin/keys"}, keys=ABSENT))
    done = program("explain-evidence", str(evidence))
    assert done.returncode == 0
    assert "one of these 3" in done.stdout
    assert "not auth.unknown-user: the account is there: uid 1001, home /home/tunnel" in done.stdout


def test_the_document_for_programs_holds_the_same(program, evidence: Path) -> None:
    evidence.write_text(output(settings={"denyusers": "tunnel"}, keys=ABSENT))
    done = program("explain-evidence", "--json", str(evidence))
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["schema"] == "tunneldoctor.evidence/1"
    validate("evidence", document)
    assert document["exit_code"] == 0
    assert document["target"] == {
        "bastion_host": "bastion.example.com", "bastion_port": 22, "bastion_username": "tunnel",
        "remote_bind": "db.internal:5432",
    }  # fmt: skip
    finding = document["finding"]
    assert (finding["code"], finding["symptom"]) == ("auth.user-not-allowed", "auth.publickey-refused")
    assert finding["evidence"][0] == {
        "kind": "proof", "seen_from": "bastion", "text": "auth.user-not-allowed: DenyUsers tunnel"
    }  # fmt: skip
    assert [each["code"] for each in document["further"]] == ["auth.key-not-authorized"]
    assert document["egress_address"] == "203.0.113.7"


def test_it_is_read_from_stdin_as_well(tmp_path: Path, environment: dict[str, str]) -> None:
    argv = [sys.executable, "-m", "tunneldoctor", "explain-evidence", "-"]
    text = "> " + output(keys=ABSENT).replace("\n", "\r\n> ")
    done = subprocess.run(argv, input=text, text=True, capture_output=True, cwd=tmp_path, env=environment, timeout=60)
    assert done.returncode == 0
    assert "auth.key-not-authorized" in done.stdout


def test_the_way_to_the_database_is_explained_as_well(program, evidence: Path) -> None:
    about = {"symptom": "db.tls-stalled", "engine": "postgresql", "name": "db.internal"}
    lines = [f"{size} 2 packets transmitted, {back} received" for size, back in ((64, 2), (1172, 2), (1472, 0))]
    evidence.write_text(output(about, sizes="\n".join(lines)))
    done = program("explain-evidence", str(evidence))
    assert (done.returncode, done.stderr) == (0, "")
    assert "db.large-packets-lost" in done.stdout
    assert "Packets of up to 1200 bytes come back from db.internal" in done.stdout
    assert "mtu lock 1200" in done.stdout
    assert not re.search(r"\{[a-z_]+\}", done.stdout)


def test_what_only_looks_the_same_from_the_bastion_is_told_with_the_proof(program, evidence: Path) -> None:
    about = {"symptom": "db.no-answer", "engine": "postgresql", "name": "db.internal"}
    evidence.write_text(output(about, **{"tls__192.0.2.20": ("CONNECTED(00000003)", 124)}))
    done = program("explain-evidence", str(evidence))
    assert done.returncode == 0
    assert "db.no-answer: 192.0.2.20: connected, and no answer within 3 s" in done.stdout


def test_half_an_output_is_said_to_be_half(program, evidence: Path) -> None:
    text = output(keys=ABSENT)
    evidence.write_text(text[: text.index("=== shell")])
    done = program("explain-evidence", str(evidence))
    assert done.returncode == 0
    assert "ends before the block did" in done.stderr


def test_an_output_that_tells_nothing_is_no_success(program, evidence: Path) -> None:
    evidence.write_text(output())
    done = program("explain-evidence", str(evidence))
    assert done.returncode == 3
    assert "as it should be by now" in done.stdout


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\x00\x01", "is not text"),
        (b"Dear all\n", "'=== about', is missing"),
        (b"=" * 2_000_000, "more than 1024 KiB"),
        (output({"port": "many"}).encode(), "its ports are no numbers"),
        (output({"symptom": "db.read-only"}).encode(), "db.read-only, of which a look from the bastion tells nothing"),
        (output({"symptom": "\x1b[2Jx"}).encode(), r"\x1b[2Jx, of which"),
    ],
)
def test_what_is_no_output_is_told_in_one_line(program, evidence: Path, content: bytes, words: str) -> None:
    evidence.write_bytes(content)
    done = program("explain-evidence", str(evidence))
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_file_that_is_not_there_is_told(program) -> None:
    done = program("explain-evidence", "nowhere.txt")
    assert (done.returncode, done.stdout) == (2, "")
    assert "can't read nowhere.txt: No such file or directory" in done.stderr


def test_control_characters_of_the_output_do_not_reach_the_terminal(program, evidence: Path) -> None:
    evidence.write_text(output({"user": "a\x1b]0;x"}, {"denyusers": "a*"}, account="a\x1b]0;x:1:1::/h\x1b[2J:/bin/sh"))
    done = program("explain-evidence", str(evidence), "--color", "never")
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
