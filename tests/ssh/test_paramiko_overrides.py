"""Which private parts of paramiko are overridden or used, and that the installed one still has them."""

from __future__ import annotations

import inspect

import paramiko
import pytest
from paramiko.packet import Packetizer

from tunneldoctor.ssh import paramiko_overrides
from tunneldoctor.ssh.paramiko_overrides import OVERRIDDEN, USED, BoundedPacketizer, Peer

SOURCE = inspect.getsource(paramiko.Transport)


def test_the_installed_paramiko_is_of_the_major_version_that_was_read() -> None:
    assert paramiko.__version__.split(".")[0] == "5"


@pytest.mark.parametrize("name", OVERRIDDEN)
def test_an_overridden_part_still_exists_and_is_overridden(name: str) -> None:
    assert hasattr(paramiko.Transport, name)
    assert name in vars(Peer)


@pytest.mark.parametrize("name", USED)
def test_a_used_part_still_exists(name: str) -> None:
    assert f"self.{name}" in SOURCE or hasattr(paramiko.Transport, name)


def test_no_private_method_is_overridden_without_being_named() -> None:
    private = {name for name in vars(Peer) if name.startswith("_") and not name.startswith("__")}
    inherited = {name for name in private if hasattr(paramiko.Transport, name)}
    assert inherited == set(OVERRIDDEN)


def test_the_packetizer_still_reads_and_starts_timers_through_the_methods_that_are_overridden() -> None:
    assert "self.read_all(" in inspect.getsource(Packetizer.read_message)
    assert "packetizer.start_handshake(" in SOURCE
    assert {"read_all", "start_handshake"} <= set(vars(BoundedPacketizer))


def test_no_other_module_reaches_into_paramiko() -> None:
    from pathlib import Path

    folder = Path(inspect.getfile(paramiko_overrides)).parent
    for module in ("transport", "userauth", "forwarding", "handshake", "command"):
        text = (folder / f"{module}.py").read_text()
        assert "_peer._" not in text
        assert "peer._" not in text
        assert "channel._" not in text.replace("self._channel.", "")


def test_the_rfc_name_of_curve25519_is_offered() -> None:
    assert "curve25519-sha256" in Peer._preferred_kex
    assert Peer._kex_info["curve25519-sha256"] is Peer._kex_info["curve25519-sha256@libssh.org"]
