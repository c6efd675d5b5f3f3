"""Keys, certificates and configurations that packages and Python itself bring along for their own tests.

They were made by others, in ways that nobody here thought of. Read where they lie, never copied into the repository:
which there are depends on the machine. Each is read as OpenSSH reads it, or named for what it is.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sysconfig
from pathlib import Path

from tests.ssh.key_shapes import openssh_loads
from tunneldoctor.config import ssh_config
from tunneldoctor.model import Severity
from tunneldoctor.ssh import certificates, known_hosts
from tunneldoctor.ssh.keys import examine

FOLDERS = (
    Path(sysconfig.get_path("purelib")),
    Path(sysconfig.get_path("stdlib"), "test"),
    *map(Path, ("/usr/share/doc", "/usr/share/ca-certificates", "/usr/lib/python3/dist-packages")),
)
NAMES = re.compile(r".+\.(pem|key|pub|ppk|der|p12|pfx|crt|cert)|id_\w+|known_hosts.*|authorized_keys.*")
LARGEST = 256 * 1024


@functools.cache
def found() -> tuple[tuple[str, bytes], ...]:
    """Path and contents of each file that may be of interest."""
    named = {path.resolve() for folder in FOLDERS for path in folder.rglob("*") if NAMES.fullmatch(path.name)}
    files = (path for path in sorted(named) if path.is_file() and path.stat().st_size < LARGEST)
    return tuple((str(path), path.read_bytes()) for path in files)


def test_every_file_is_a_key_where_openssh_loads_one_and_is_named_for_what_it_is_elsewhere(tmp_path: Path) -> None:
    for name, data in found():
        seen = examine(data)
        errors = [damage.code for damage in seen.damages if damage.severity is Severity.ERROR]
        assert seen.key is not None or errors, name
        if b"PRIVATE KEY-----" in data:
            weighty = errors or any(damage.code == "key.openssh-cannot-load" for damage in seen.damages)
            assert bool(weighty) != openssh_loads(data, None, tmp_path), (name, seen)


def test_no_file_breaks_the_readers_of_certificates_and_known_hosts() -> None:
    for name, data in found():
        try:
            certificates.read(data)
        except certificates.CertificateError as error:
            assert str(error), name
        pins, bad = known_hosts.read([known_hosts.File(name, data)]).examine("host.example.com")
        assert len(pins.lines) + bad.count <= data.count(b"\n") + 1, name


def test_this_machine_s_ssh_config_is_read_as_ssh_reads_it(tmp_path: Path) -> None:
    for path in [Path("/etc/ssh/ssh_config"), *Path("/etc/ssh/ssh_config.d").glob("*.conf")]:
        if path.is_file():
            said = subprocess.run(["ssh", "-F", path, "-G", "host.example.com"], capture_output=True, check=False)
            reading = ssh_config.read(path, tmp_path, ssh_config.Asked("host.example.com"))
            assert (reading.fault is None) == (said.returncode == 0), (path, reading.fault, said.stderr)
