"""Runs one check in a process of its own (inside a network namespace) and prints its outcome as JSON.

Request: ``check`` (``tcp.connect``), ``host``, ``port``, ``addresses`` and ``slow`` (the facts, if they are to be
there), ``before`` (checks whose facts the check gets, run first), ``seconds`` (the stage's deadline), ``modules``
(names to look for in sys.modules at the end).
"""

from __future__ import annotations

import importlib
import json
import sys
import threading
from typing import Any

from tests.checks.doubles import FakeContext, a_tunnel, examine
from tunneldoctor.model import Address, Check, Outcome
from tunneldoctor_checks import facts


def main(request: dict[str, Any]) -> dict[str, Any]:
    tunnel = a_tunnel(request["host"], request.get("port", 22), connect_timeout=request.get("seconds", 5.0))
    known: dict[Any, Any] = {facts.ENDPOINT: Address(request["host"], request.get("port", 22))}
    if "addresses" in request:
        known[facts.ADDRESSES] = tuple(request["addresses"])
    if "slow" in request:
        known[facts.LOOKUP_SLOW] = request["slow"]
    for name in request.get("before", ()):
        context = FakeContext(tunnel, tunnel.bastion, known, _check(name))
        known |= dict(examine(_check(name), context).facts) | context.given
    check = _check(request["check"])
    missing = [fact.name for fact in check.needs if fact not in known]
    if missing:
        return {"missing": missing}
    context = FakeContext(tunnel, tunnel.bastion, known, check)
    outcome = _run(check, context)
    shown = _shown(outcome, context)
    context.close()
    for value in known.values():
        if hasattr(value, "close"):
            value.close()
    return {**shown, "modules": [name for name in request.get("modules", ()) if name in sys.modules]}


def _check(name: str) -> Check:
    module = importlib.import_module(f"tunneldoctor_checks.{name}")
    assert isinstance(module.CHECK, Check)
    return module.CHECK


def _run(check: Check, context: FakeContext) -> Outcome:
    """As the engine would: on a thread, and the deadline counts."""
    done: list[Outcome | BaseException] = []

    def work() -> None:
        try:
            done.append(examine(check, context))
        except BaseException as error:
            done.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(context.remaining() + 0.6)
    assert done, f"{check.id} did not keep its deadline"
    if isinstance(done[0], BaseException):
        raise done[0]
    return done[0]


def _shown(outcome: Outcome, context: FakeContext) -> dict[str, Any]:
    return {
        "codes": [finding.code for finding in outcome.findings],
        "severities": [finding.severity for finding in outcome.findings],
        "params": [dict(finding.params) for finding in outcome.findings],
        "evidence": [each.text for finding in outcome.findings for each in finding.evidence],
        "facts": {
            fact.name: value if isinstance(value, (tuple, str)) else True for fact, value in outcome.facts.items()
        },
        "given": [fact.name for fact in context.given],
        "measured": dict(outcome.measured),
        "unknown": outcome.unknown,
        "skipped": outcome.skipped,
        "spent": context.budget.spent,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1])), default=str))
