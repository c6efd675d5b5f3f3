"""known_hosts and host keys, judged as the real ssh judges them: the same files, the same server, the same verdict."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ssh.real_sshd import Sshd, generate, needs_sshd, sshd
from tunneldoctor.ssh.certificate_blob import plain_key
from tunneldoctor.ssh.host_patterns import matches
from tunneldoctor.ssh.host_trust import judge
from tunneldoctor.ssh.known_hosts import File, KnownHosts, TooManyLines, read
from tunneldoctor.ssh.pins import Pins, Trust


def blob(path: Path) -> bytes:
    return base64.b64decode(path.read_text().split()[1])


def line(names: str, path: Path) -> str:
    return f"{names} {' '.join(path.read_text().split()[:2])}"


def known(*lines: str, name: str = "known_hosts", ends: str = "\n") -> KnownHosts:
    return read([File(name, "".join(each + ends for each in lines).encode())])


@pytest.fixture(scope="module")
def server() -> Iterator[Sshd]:
    with sshd(host_keys=("ed25519", "rsa", "ecdsa")) as running:
        for kind in ("ed25519", "rsa", "ecdsa"):
            generate(running.folder / f"other_{kind}", kind)
        yield running


def real_ssh(running: Sshd, file: Path, *options: str) -> tuple[bool, str]:
    """Whether ssh takes the host key under strict checking, and which type of key it was shown."""
    settings_ = ["BatchMode=yes", "StrictHostKeyChecking=yes", f"UserKnownHostsFile={file}", "IdentitiesOnly=yes"]
    settings_ += ["GlobalKnownHostsFile=/dev/null", "IdentityFile=none", "ConnectTimeout=10", *options]
    command = [
        "ssh",
        "-v",
        "-F",
        "none",
        *(word for each in settings_ for word in ("-o", each)),
        "-p",
        str(running.port),
    ]
    said = subprocess.run([*command, f"nobody@{running.host}", "true"], capture_output=True, text=True, check=False)
    shown = re.search(r"Server host (?:key|certificate): (\S+)", said.stderr)
    assert shown, said.stderr
    return "Host key verification failed" not in said.stderr, shown.group(1)


def hashed(names: str, path: Path, folder: Path) -> str:
    file = folder / "to_hash"
    file.write_text(line(names, path) + "\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(file)], check=True, capture_output=True)
    return file.read_text().strip()


CASES: dict[str, tuple[list[str], Trust]] = {
    "nothing": ([], Trust.UNKNOWN),
    "the right line": (["{name} {ed25519}"], Trust.TRUSTED),
    "in capitals and among others": (["a.example,{name},b.example {ed25519}"], Trust.TRUSTED),
    "by a pattern": (["[127.0.0.*]:* {ed25519}"], Trust.TRUSTED),
    "by a pattern with question marks": (["[127.0.?.1]:{port} {ed25519}"], Trust.TRUSTED),
    "by a star alone": (["* {ed25519}"], Trust.TRUSTED),
    "negated": (["*,!{name},!127.0.0.1 {ed25519}"], Trust.UNKNOWN),
    "negated with its port alone": (["*,!{name} {ed25519}"], Trust.TRUSTED),
    "another negated": (["*,!other {ed25519}"], Trust.TRUSTED),
    "hashed": (["{hashed}"], Trust.TRUSTED),
    "without the port": (["127.0.0.1 {ed25519}"], Trust.TRUSTED),
    "without the port, another key": (["127.0.0.1 {other_ed25519}"], Trust.UNKNOWN),
    "without the port, another type": (["127.0.0.1 {rsa}"], Trust.WITHOUT_PORT),
    "another port": (["[127.0.0.1]:1 {ed25519}"], Trust.UNKNOWN),
    "changed": (["{name} {other_ed25519}"], Trust.CHANGED),
    "old and new": (["{name} {other_ed25519}", "{name} {ed25519}"], Trust.TRUSTED),
    "only rsa pinned, and there": (["{name} {rsa}"], Trust.TRUSTED),
    "only rsa pinned, and changed": (["{name} {other_rsa}"], Trust.CHANGED),
    "a wrong rsa before a right ed25519": (["{name} {other_rsa}", "{name} {ed25519}"], Trust.TRUSTED),
    "a right rsa after a wrong ecdsa": (["{name} {other_ecdsa}", "{name} {rsa}"], Trust.CHANGED),
    "revoked": (["@revoked * {ed25519}", "{name} {ed25519}"], Trust.REVOKED),
    "revoked for another host": (["@revoked other {ed25519}", "{name} {ed25519}"], Trust.TRUSTED),
    "an authority alone": (["@cert-authority * {other_ed25519}"], Trust.UNKNOWN),
    "an unknown marker": (["@trusted {name} {ed25519}"], Trust.UNKNOWN),
    "bad lines around it": (["nonsense", "{name} ssh-ed25519 AAAA", "{name} {ed25519}", "{name}"], Trust.TRUSTED),
    "a type that is not the key's": (["{name} ssh-rsa {ed25519_text}"], Trust.UNKNOWN),
    "tabs and blanks": (["  {name}\t{ed25519}  a comment"], Trust.TRUSTED),
    "commented out": (["#{name} {ed25519}"], Trust.UNKNOWN),
}


@needs_sshd
@pytest.mark.parametrize("ends", ["\n", "\r\n"], ids=["lf", "crlf"])
@pytest.mark.parametrize("case", CASES)
def test_the_verdict_is_the_real_ssh_s(case: str, ends: str, server: Sshd, tmp_path: Path) -> None:
    lines, expected = CASES[case]
    folder = server.folder
    names = [f"{kind}_{each}" for kind in ("host", "other") for each in ("ed25519", "rsa", "ecdsa")]
    texts = {name.removeprefix("host_"): " ".join((folder / f"{name}.pub").read_text().split()[:2]) for name in names}
    name = f"[127.0.0.1]:{server.port}"
    texts |= {"name": name, "port": str(server.port), "hashed": hashed(name, folder / "host_ed25519.pub", tmp_path)}
    texts["ed25519_text"] = texts["ed25519"].split()[1]
    written = "".join(each.format(**texts) + ends for each in lines)
    file = tmp_path / "known_hosts"
    file.write_bytes(written.encode())
    accepted, shown = real_ssh(server, file)
    pins = read([file]).pins("127.0.0.1", server.port)
    judgement = judge(pins, blob(folder / f"host_{shown.removeprefix('ssh-').removesuffix('-sha2-nistp256')}.pub"))
    assert judgement.trusted == accepted, judgement
    assert judgement.trust is expected
    plain = [kind for kind in pins.key_types() if "-cert-" not in kind]
    assert plain[:1] in ([shown], []), "the type that ssh negotiates comes first"
    assert judgement.without_port == (case in ("without the port", "negated with its port alone"))


@needs_sshd
def test_an_alias_is_looked_up_without_the_port(server: Sshd, tmp_path: Path) -> None:
    file = tmp_path / "known_hosts"
    for names, expected in (("bastion", True), (f"[bastion]:{server.port}", False), ("127.0.0.1", False)):
        file.write_text(line(names, server.folder / "host_ed25519.pub") + "\n")
        accepted, _ = real_ssh(server, file, "HostKeyAlias=Bastion")
        judgement = judge(
            read([file]).pins("127.0.0.1", server.port, "Bastion"), blob(server.folder / "host_ed25519.pub")
        )
        assert judgement.trusted == accepted == expected, names


CERTIFICATES: dict[str, tuple[list[str], str, str, Trust]] = {
    "good": (["-h", "-n", "127.0.0.1"], "host_ca", "", Trust.TRUSTED),
    "good for every name": (["-h"], "host_ca", "", Trust.TRUSTED),
    "expired": (["-h", "-n", "127.0.0.1", "-V", "-2d:-1d"], "host_ca", "", Trust.CERTIFICATE_EXPIRED),
    "too early": (["-h", "-n", "127.0.0.1", "-V", "+1d:+2d"], "host_ca", "", Trust.CERTIFICATE_NOT_YET_VALID),
    "for other names": (["-h", "-n", "*,localhost"], "host_ca", "", Trust.CERTIFICATE_WRONG_PRINCIPAL),
    "of another authority": (["-h", "-n", "127.0.0.1"], "other_ca", "", Trust.CERTIFICATE_UNTRUSTED),
    "expired, the plain key pinned": (["-h", "-V", "-2d:-1d"], "host_ca", "{name} {plain}\n", Trust.TRUSTED),
    "of another authority, the plain key pinned": (["-h"], "other_ca", "{name} {plain}\n", Trust.TRUSTED),
    "the authority revoked": (["-h"], "host_ca", "@revoked * {ca}\n", Trust.REVOKED),
    "the plain key revoked": (["-h"], "host_ca", "@revoked * {plain}\n", Trust.REVOKED),
}


@needs_sshd
@pytest.mark.parametrize("case", CERTIFICATES)
@pytest.mark.parametrize("names", ["{name}", "127.0.0.1"], ids=["with port", "without port"])
def test_a_host_certificate_is_judged_as_ssh_judges_it(case: str, names: str, tmp_path: Path) -> None:
    """A server each, because sshd reads its certificate when it starts."""
    options, ca, further, expected = CERTIFICATES[case]
    with certified_server(options, ca, tmp_path) as (running, certificate, folder):
        name = f"[127.0.0.1]:{running.port}"
        texts = {"name": name, "plain": _text(folder / "host.pub"), "ca": _text(folder / "host_ca.pub")}
        file = tmp_path / "known_hosts"
        file.write_text(f"@cert-authority {names} {{ca}}\n{further}".format(**texts))
        accepted, _ = real_ssh(running, file, "HostKeyAlgorithms=ssh-ed25519-cert-v01@openssh.com,ssh-ed25519")
        judgement = judge(read([file]).pins("127.0.0.1", running.port), certificate)
        assert judgement.trusted == accepted, judgement
        assert judgement.trust is expected


def _text(path: Path) -> str:
    return " ".join(path.read_text().split()[:2])


class certified_server:  # noqa: N801  a context manager, named as one
    """sshd with a host key that was certified before it started."""

    def __init__(self, options: list[str], ca: str, folder: Path) -> None:
        for name in ("host_ca", "other_ca", "host"):
            generate(folder / name)
        command = ["ssh-keygen", "-q", "-s", str(folder / ca), "-I", "host", *options, str(folder / "host.pub")]
        subprocess.run(command, check=True)
        self._folder = folder
        self._running = sshd(f"HostKey {folder}/host\nHostCertificate {folder}/host-cert.pub", host_keys=())

    def __enter__(self) -> tuple[Sshd, bytes, Path]:
        return self._running.__enter__(), blob(self._folder / "host-cert.pub"), self._folder

    def __exit__(self, *exception: object) -> None:
        self._running.__exit__(None, None, None)


def test_a_certificate_s_plain_key_is_found_for_each_type(tmp_path: Path) -> None:
    generate(tmp_path / "ca")
    for kind in ("ed25519", "rsa", "ecdsa"):
        path = generate(tmp_path / kind, kind)
        subprocess.run(["ssh-keygen", "-q", "-s", "ca", "-I", "x", "-h", f"{kind}.pub"], cwd=tmp_path, check=True)
        assert plain_key(blob(Path(f"{path}-cert.pub"))) == blob(Path(f"{path}.pub"))


def test_with_an_authority_certificates_are_asked_for_first(tmp_path: Path) -> None:
    generate(tmp_path / "ca")
    generate(tmp_path / "k", "rsa")
    pins = known(line("@cert-authority h", tmp_path / "ca.pub"), line("h", tmp_path / "k.pub")).pins("h")
    assert pins.key_types()[0] == "ssh-ed25519-cert-v01@openssh.com"
    assert pins.key_types()[-1] == "ssh-rsa"


def test_the_first_matching_line_is_named_with_file_and_line(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    first = File("one", b"# nothing here\n")
    second = File("two", f"\n# a comment\n{line('h', path)}\n".encode())
    judgement = judge(read([first, second]).pins("h"), blob(path))
    assert [pin.place for pin in judgement.pins] == ["two:3"]


def test_a_fingerprint_pinned_in_the_configuration_replaces_known_hosts(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    key = paramiko.PKey.from_type_string("ssh-ed25519", blob(path))
    assert judge(Pins("h", "h", fingerprints=(key.fingerprint,)), blob(path)).trusted
    assert judge(Pins("h", "h", fingerprints=(key.fingerprint + "=",)), blob(path)).trusted
    assert judge(Pins("h", "h", fingerprints=("SHA256:" + "A" * 43,)), blob(path)).trust is Trust.CHANGED


def test_a_key_that_is_pinned_under_another_name_is_found(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    hosts = known("x", line("old.example.com", path), hashed("secret", path, tmp_path))
    assert hosts.pins("new.example.com").elsewhere(blob(path)) == (
        "known_hosts:2 (old.example.com)",
        "known_hosts:3 (a hashed name)",
    )


def test_each_unreadable_line_is_named_and_the_good_ones_are_not(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    good = line("h", path)
    rsa = line("h", Path(f"{generate(tmp_path / 'r', 'rsa')}.pub"))
    lines = [good, "", "# comment", f"  {good}", f"@cert-authority *.a {good[2:]}", f"@revoked * {good[2:]}", rsa]
    lines += [hashed("h", path, tmp_path), "h ssh-new " + base64.b64encode(b"\0\0\0\x07ssh-new\0\0\0\1x").decode()]
    start = len(lines)
    lines += ["h", "h ssh-ed25519", good[:-4], good[:-1], good.replace("ssh-ed25519", "ssh-rsa"), f"@other {good}"]
    lines += ["|1|short|hash " + good[2:], "h 1024 35 12345", rsa[:-8]]
    _, bad = known(*lines).examine("h")
    assert [each.number for each in bad.first] == list(range(start + 1, len(lines) + 1))


def test_a_file_in_utf_16_is_called_that(tmp_path: Path) -> None:
    text = line("h", Path(f"{generate(tmp_path / 'k')}.pub")) + "\r\n"
    _, bad = read([File("k", text.encode("utf-16"))]).examine("h")
    assert "UTF-16" in bad.first[0].reason


def test_files_that_are_not_there_or_not_files_are_passed_over(tmp_path: Path) -> None:
    files = read([tmp_path / "absent", tmp_path]).files
    assert [file.problem for file in files] == ["is not there", "is not a file"]
    assert judge(read([tmp_path / "absent"]).pins("h"), b"\0\0\0\x0bssh-ed25519").trust is Trust.UNKNOWN


def test_what_can_t_be_read_as_a_file_is_named_and_never_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    names = [tmp_path / "fifo", Path("/dev/zero"), Path("x" * 5000), Path("nul\0nul")]
    assert all(file.problem for file in read(names).files)
    assert read(names).pins("h").empty


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="needs an ordinary user")
def test_a_file_of_somebody_else_is_passed_over_as_ssh_does(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    file = tmp_path / "secret"
    file.write_text("h ssh-ed25519 AAAA\n")
    file.chmod(0)
    program = f"from tunneldoctor.ssh.known_hosts import *; print(read([Path({str(file)!r})]).files[0].problem)"
    ordinary = ["setpriv", "--reuid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    command = [*ordinary, sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path.cwd())
    if "No module named" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("the ordinary user can't read this checkout")
    assert "can't be read (Permission denied)" in done.stdout, done.stderr


def test_a_huge_file_without_a_line_takes_little_memory(tmp_path: Path) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(256 * 1024 * 1024)
    tracemalloc.start()
    try:
        pins, bad = read([tmp_path / "sparse"]).examine("h")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert pins.empty
    assert [(each.number, "UTF-16" in each.reason) for each in bad.first] == [(1, True)]
    assert peak < 16 * 1024 * 1024


def test_a_key_behind_a_long_line_and_with_a_long_comment_is_found(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    text = f"# {'x' * 3_000_000}\n{'y' * 2_000_000}\n{line('h', path)} {'z' * 3_000_000}\n{line('i', path)}"
    hosts = read([File("known", text.encode())])
    assert [pin.number for pin in hosts.pins("h").lines] == [3]
    assert [pin.number for pin in hosts.pins("i").lines] == [4]
    assert [each.number for each in hosts.examine("h")[1].first] == [2]


def test_lines_are_numbered_across_what_is_read_at_once(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    for length in (1024 * 1024 - 3, 1024 * 1024 - 2, 1024 * 1024 - 1, 1024 * 1024):
        hosts = read([File("known", b"#" * length + b"\n\n" + line("h", path).encode() + b"\n\n")])
        assert [pin.number for pin in hosts.pins("h").lines] == [3]
        assert hosts.names_of(blob(path)) == ("known:3 (h)",)


@needs_sshd
@pytest.mark.parametrize("first", ["", "# a comment\n"])
def test_a_byte_order_mark_spoils_the_first_line_for_ssh_too(first: str, server: Sshd, tmp_path: Path) -> None:
    name = f"[127.0.0.1]:{server.port}"
    file = tmp_path / "known_hosts"
    file.write_text("\ufeff" + first + line(name, server.folder / "host_ed25519.pub") + "\n", encoding="utf-8")
    accepted, _ = real_ssh(server, file)
    pins, bad = read([file]).examine("127.0.0.1", server.port)
    assert judge(pins, blob(server.folder / "host_ed25519.pub")).trusted == accepted == bool(first)
    assert [("byte order mark" in each.reason) for each in bad.first] == ([] if first else [True])


def test_a_pattern_made_to_be_slow_is_not() -> None:
    assert not matches(b"a" * 200, b"*a" * 400 + b"b")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_no_file_raises_an_exception(data: bytes) -> None:
    pins, _ = read([File("x", b"h " + data + b"\n" + data)]).examine("h", 2222)
    judge(pins, data)


@settings(max_examples=300, deadline=None)
@given(st.text("ab*?", max_size=6), st.text("ab", max_size=6))
def test_patterns_mean_what_they_mean_to_openssh(pattern: str, name: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    assert matches(name.encode(), pattern.encode()) == bool(re.fullmatch(expression, name))


def test_a_hundred_thousand_lines_are_searched(tmp_path: Path) -> None:
    path = Path(f"{generate(tmp_path / 'k')}.pub")
    text = _text(path)
    others = "".join(f"host{number}.example.com,10.0.0.{number % 250} {text}\n" for number in range(100_000))
    salted = hashed("wanted.example.com", path, tmp_path)
    pins, bad = read([File("big", f"{others}{salted}\n".encode())]).examine("wanted.example.com")
    assert [pin.place for pin in pins.lines] == ["big:100001"]
    assert bad.count == 0


def test_a_file_too_long_for_the_time_given_ends_in_a_word_about_it_not_in_a_late_answer() -> None:
    with pytest.raises(TooManyLines, match="known_hosts:"):
        known(*["# a line"] * 20_000).examine("bastion", timeout=0.0)
    pins, _ = known(*["# a line"] * 20_000).examine("bastion")
    assert pins.lines == ()
