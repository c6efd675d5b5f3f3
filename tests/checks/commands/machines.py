"""The machines of a staged scenario as somebody sees them who follows a page: shells to paste commands into.

Five programs can't do in the lab what they do on a real machine. Stand-ins take their places on ``PATH``:

- ``sudo``: the lab is root already; ``-u USER`` is done by runuser(1).
- ``systemctl reload|restart ssh`` sends SIGHUP to the lab's own sshd, which then reads its configuration anew, as
  Debian's unit has it done (ExecReload).
- ``systemctl reload SERVICE`` of the database does the same with that server.
- ``journalctl`` prints what the lab's sshd has logged, or with ``-u`` of a database's unit what the database has.
- ``redis-cli`` finds its server where the lab has it; other clients are told so by a variable or an option file.
- ``sudoedit FILE`` makes the change that the page describes in words: a sed expression of the test's.

The lab's sshd reads ``/etc/ssh/sshd_config.d`` first, as Debian's and Red Hat's do, and logs as much as they do.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fixtures import keys
from fixtures.lab.network import DATABASE
from fixtures.lab.postgres import PASSWORD
from tunneldoctor.model import Place as RunOn

if TYPE_CHECKING:
    from fixtures.lab.process import Place, Server
    from fixtures.lab.stage import Stage
    from fixtures.scenario import Scenario

#: What a stock sshd_config begins with.
INCLUDE = "Include /etc/ssh/sshd_config.d/*.conf"

_STAND_INS = {
    "sudo": """
        [ "$1" = -u ] || exec "$@"
        user=$2; shift 2; exec runuser -u "$user" -- "$@"
    """,
    "systemctl": """
        case "$1 $2" in
        "reload ssh" | "restart ssh") echo >> "$LAB_FOLDER/reloads"; kill -HUP "$LAB_SSHD" ;;
        "reload postgresql" | "reload pgbouncer") kill -HUP "$LAB_DATABASE" ;;
        *) echo "Failed to $1 $2.service: Unit $2.service not found." >&2; exit 5 ;;
        esac
    """,
    "journalctl": """
        case "$*" in
        *postgresql* | *mysql* | *pgbouncer* | *redis*) cat "$LAB_FOLDER/database-journal" ;;
        *) cat "$LAB_FOLDER/journal" ;;
        esac
    """,
    "redis-cli": 'exec /usr/bin/redis-cli --tls --insecure -h "$LAB_DATABASE_ADDRESS" -p "$LAB_DATABASE_PORT" "$@"',
    "sudoedit": 'sed -i -E "$LAB_EDIT" "$1"',
}


def with_stock_settings(scenario: Scenario) -> Scenario:
    """*scenario* with a bastion whose sshd reads ``/etc/ssh/sshd_config.d``, and logs as much as a stock one does."""
    bastion = replace(scenario.bastion, sshd=(INCLUDE, "LogLevel INFO", *scenario.bastion.sshd))
    return replace(scenario, bastion=bastion)


def with_a_stock_database(scenario: Scenario) -> Scenario:
    """*scenario* with a database of its own, whose administrator comes in by the socket, as Debian's does.

    PostgreSQL's socket is in the cluster's own folder.
    """
    side = scenario.database
    if side.server == "mariadb":
        own = replace(side, settings=("max-connect-errors = 100", *side.settings))
    elif side.server == "postgres" and side.pooler is None:
        hba, settings = ("local all postgres peer", *side.hba), ("unix_socket_directories = '.'", *side.settings)
        own = replace(side, hba=hba, settings=settings, sql=("create database postgres", *side.sql))
    else:
        return scenario
    return replace(scenario, database=own)


@dataclass(frozen=True, slots=True)
class Machines:
    """Shells on the machines of *stage*; *edit* is what somebody does in an editor.

    The files that pages speak of as somebody else's are in the working directory: ``ca_key`` and ``new_ca.pub`` (the
    authority's two halves), ``key.pub`` (what it is asked to sign).
    """

    stage: Stage
    edit: str = ""

    def __post_init__(self) -> None:
        folder = self.stage.folder / "stand-ins"
        folder.mkdir()
        for name, body in _STAND_INS.items():
            (folder / name).write_text("#!/bin/sh\n" + body)
            (folder / name).chmod(0o755)
        self._bring_files()
        configuration = self.stage.folder / "bastion"
        (configuration / "sshd_config.d").mkdir(parents=True, exist_ok=True)
        for kind in self.stage.scenario.bastion.host_keys:
            for suffix in ("", ".pub"):
                shutil.copy(f"{self.stage.lab.host_keys[kind]}{suffix}", configuration / f"ssh_host_{kind}_key{suffix}")

    def _bring_files(self) -> None:
        folder = self.stage.folder
        keys.write(folder / "ca_key", keys.encoded(self.stage.authority))
        shutil.copy(folder / "user_ca.pub", folder / "new_ca.pub")
        shutil.copy(folder / "id.pub", folder / "key.pub")

    def run(
        self, run_on: RunOn, command: str, seconds: float = 60, typed: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run a line of shell on the machine that it is meant for, and wait until what it restarted is up.

        *typed* is what a person would type in.
        """
        sshd = self.stage.ssh_servers.get("bastion")
        for name, server in (("journal", sshd), ("database-journal", self.stage.database)):
            (self.stage.folder / name).write_text("".join(f"{line}\n" for line in server.lines) if server else "")
        done = subprocess.run(
            self._place(run_on).command(["bash", "-c", command]), env=self._env(run_on), cwd=self.stage.folder,
            capture_output=True, text=True, timeout=seconds, check=False, input=typed,
        )  # fmt: skip
        if sshd and self._reloads():
            sshd.wait_for(r"^Server listening on", skip=self._reloads())
        return done

    def _reloads(self) -> int:
        noted = self.stage.folder / "reloads"
        return len(noted.read_text().splitlines()) if noted.exists() else 0

    def _place(self, run_on: RunOn) -> Place:
        if run_on is RunOn.HERE:
            return self.stage.client
        return self.stage.machine(str(run_on))

    def _env(self, run_on: RunOn) -> dict[str, str]:
        sshd = self.stage.ssh_servers.get("bastion")
        path = [str(self.stage.folder / "stand-ins"), str(Path(sys.executable).parent), os.environ["PATH"], "/usr/sbin"]
        passwords = dict.fromkeys(("REDISCLI_AUTH", "DATABASE_PASSWORD"), PASSWORD)
        lab = {**passwords, "LAB_FOLDER": str(self.stage.folder), "LAB_EDIT": self.edit, "LAB_SSHD": _pid(sshd)}
        own = self._beside_the_database() if run_on is RunOn.DATABASE else {}
        return {**self.stage.env, **lab, **own, "PATH": ":".join(path)}

    def _beside_the_database(self) -> dict[str, str]:
        """How clients on the database's own machine find it by default: by its socket."""
        stage, home = self.stage, self.stage.folder / "database-home"
        home.mkdir(exist_ok=True)
        tables = stage.lab.folder / "mariadb" / stage.folder.name
        (home / ".my.cnf").write_text(f"[client]\nsocket = {tables / 'socket'}\n")
        port = str(stage.words["db_port"])
        return {
            "HOME": str(home), "PGHOST": str(stage.lab.folder / "postgres" / stage.folder.name), "PGPORT": port,
            "LAB_DATABASE": _pid(stage.database), "LAB_DATABASE_PORT": port,
            "LAB_DATABASE_ADDRESS": DATABASE if stage.network else "127.0.0.1",
        }  # fmt: skip


def _pid(server: Server | None) -> str:
    return str(server.process.pid) if server else ""
