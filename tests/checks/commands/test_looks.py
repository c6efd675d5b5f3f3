"""Every command that ends no staged fault is run once beside a tunnel that works: it exists, and ends as it should.

Together with test_healing.py (commands that end a fault), test_cloud.py (commands for a provider) and the tables in
classes.py (commands that are not run, with the reason) each command of each page is in one of four classes. A new
command is run here until it is put into another.
"""

from __future__ import annotations

import contextlib
import functools
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from fixtures.lab.postgres import PASSWORD
from fixtures.lab.session import Lab, why_not
from fixtures.lab.stage import staged
from tests.checks.commands.advice import Command, all_commands, steps
from tests.checks.commands.cases import CASES
from tests.checks.commands.classes import (
    ASKS,
    ENDS_WITH,
    NOT_RUN,
    OTHER_FILES,
    absent,
    of_a_provider,
    why_not_run,
)
from tests.checks.commands.machines import Machines, with_a_stock_database, with_stock_settings
from tests.checks.commands.staging import SCENARIOS, page_of, report_on, values_of
from tunneldoctor.catalog import command
from tunneldoctor.model import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from fixtures.lab.stage import Stage
    from tunneldoctor.model import Value

pytestmark = [pytest.mark.lab, pytest.mark.skipif(why_not(True) is not None, reason=str(why_not(True)))]

COMMANDS = all_commands()
#: What test_healing.py runs.
FOLLOWED = {
    step.command
    for case in CASES
    for step in steps(page_of(SCENARIOS[case.scenario]))
    if not any(re.search(part, str(step.command)) for part in case.skips)
}
LOOKS = [
    each
    for each in COMMANDS
    if each.template not in FOLLOWED and not of_a_provider(each.template) and not why_not_run(each.template)
]
#: The files that pages speak of, in the working directory; made anew for each command.
PREPARATION = """
cp id key && cp id.pub key.pub && cp id KEYFILE && cp id.pub id.new.pub && cp id.pub id.service.pub
ssh-keygen -q -s ca_key -I lab -n tunnel key.pub
ssh-keygen -q -s ca_key -h -I lab -n tunnel bastion/ssh_host_ed25519_key.pub
cp bastion/ssh_host_ed25519_key.pub bastion/ssh_host_ed25519_key-cert.pub .
cp ca_key host_ca_key
openssl ecparam -genkey -name prime256v1 -noout -out pem && chmod 600 pem
ssh-keygen -e -f id.pub > ssh2
base64 id > twice
[ -e client.pem ] || openssl req -x509 -newkey ed25519 -nodes -keyout client.key -out client.pem -subj /CN=app
mkdir -p ~/.postgresql && cp ca.pem ~/.postgresql/root.crt
"""


#: Somebody's host key, for a line of known_hosts.
HOST = "192.0.2.7 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJYIFF6QApQUSitxt1xeTN35kn8+n+4jwISpOfjnMQoq"


#: What is healthy for each kind of database; commands that are for none in particular are run beside PostgreSQL.
HEALTHY = {"postgresql": "healthy-plain", "mariadb": "mysql-healthy", "redis": "engines-redis-healthy"}


@dataclass(frozen=True, slots=True)
class Bench:
    """The machines of a tunnel that works, with an agent that has its key, and what fields are filled with there."""

    machines: Machines
    values: dict[str, Value]


@pytest.fixture(scope="module")
def benches() -> Iterator[Callable[[str], Bench]]:
    """One for each kind of database, set up when it is first asked for."""
    with Lab() as lab, contextlib.ExitStack() as standing:

        @functools.cache
        def bench(engine: str) -> Bench:
            plain = with_a_stock_database(with_stock_settings(SCENARIOS[HEALTHY[engine]]))
            plain = replace(plain, client=replace(plain.client, agent=("own",)))
            stage = standing.enter_context(staged(plain, lab))
            standing.callback(_still_works, stage)
            return Bench(Machines(stage), {**values_of(stage, report_on(stage)), **_fields(stage.folder)})

        yield bench


def _still_works(stage: Stage) -> None:
    assert report_on(stage)["verdict"] == "healthy", "what was advised broke a tunnel that worked"


def _engine(advised: Command) -> str:
    return next((engine for engine in HEALTHY if engine in advised.engines), "postgresql")


def _fields(folder: Path) -> dict[str, Value]:
    """Values for the fields that findings fill."""
    here = "127.0.0.1"
    files = {"path": folder / "key", "file": folder / "known_hosts", "certificate_path": folder / "key-cert.pub"}
    addresses = dict.fromkeys(("address", "server", "ip", "egress_address", "router"), here)
    return {
        **{name: str(path) for name, path in files.items()},
        **addresses,
        "encoding": "UTF-8",
        "suggested": 20,
        "key": str(folder / "client.key"),
        "certificate": str(folder / "client.pem"),
        "client_certificate": str(folder / "client.pem"),
        "certificate_name": "db.internal",
        "known_hosts_line": HOST,
    }


@pytest.mark.parametrize("advised", LOOKS, ids=str)
def test_the_command_works(advised: Command, benches: Callable[[str], Bench]) -> None:
    bench = benches(_engine(advised))
    machines, values = bench.machines, bench.values
    made = machines.run(Place.HERE, f"set -e\n{PREPARATION}")
    assert made.returncode == 0, made.stderr
    if missing := absent(advised.template):
        pytest.skip(f"{missing} is not installed")
    line = command(advised.template, {**values, **OTHER_FILES.get(advised.codes[0], {})})
    done = machines.run(advised.run_on, line, typed=f"{PASSWORD}\n" if ASKS.search(advised.template) else "")
    expected = next((status for part, status in ENDS_WITH.items() if part in advised.template), 0)
    assert done.returncode == expected, f"{line}\nended with {done.returncode}\n{done.stdout}{done.stderr}"


@pytest.mark.parametrize("part", NOT_RUN)
def test_each_reason_not_to_run_a_command_is_needed(part: str) -> None:
    assert any(re.search(part, each.template) and not of_a_provider(each.template) for each in COMMANDS)
