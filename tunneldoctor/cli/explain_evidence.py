"""``tunneldoctor explain-evidence``: what the output of a look from the bastion says, offline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.completion import complete_files
from tunneldoctor.cli.failure import Failure, note
from tunneldoctor.cli.options import color_option, json_option
from tunneldoctor.cli.source import content

if TYPE_CHECKING:
    from tunneldoctor.bastion.reading import Look
    from tunneldoctor.bastion.subject import Subject
    from tunneldoctor.model import Finding, FindingReport, Ruling, Tunnel

_HOP, _PLAIN_WIDTH = "bastion", 100
_SCHEMA = "tunneldoctor.evidence/1"


@click.command("explain-evidence", short_help="Tell what a look from the bastion means.")
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@json_option
@color_option
def command(file: str, as_json: bool, color: str) -> int:
    """Tell what is in FILE (- for stdin): what the block printed that a report asked to have run on the bastion.

    Which causes are left, which one is proven, which are ruled out and why, and what to do. Nothing leaves this
    machine. The text may have come by mail: quoted, indented, wrapped.

    Exit status: 0 it tells something, 2 the command line or FILE can't be used, 3 it tells nothing.
    """
    from tunneldoctor.cli.console import Output
    from tunneldoctor.report import redact_value

    look, subject = _read(file)
    result = redact_value(_explained(look, subject))
    if not look.complete:
        note("the output ends before the block did: what is missing is taken for unknown")
    with Output(None, color) as output:
        output.write(_document(result) if as_json else _text(result, output), machine=as_json)
    return result.exit_code


@dataclass(frozen=True, slots=True)
class _Result:
    """The fault that was looked into, those behind it, and in words what does not fit together."""

    subject: Subject
    complete: bool
    finding: FindingReport
    further: tuple[FindingReport, ...]
    puzzle: str

    @property
    def exit_code(self) -> int:
        """0 where anything was ruled out or proven."""
        return 0 if self.finding.ruled_out or self.finding.evidence or self.further else 3


def _read(file: str) -> tuple[Look, Subject]:
    from tunneldoctor.bastion.judge import JUDGES
    from tunneldoctor.bastion.reading import LARGEST, NotALook, read
    from tunneldoctor.bastion.subject import Subject

    try:
        look = read(content(file, LARGEST))
        subject = Subject.of(look.values())
    except OSError as error:
        raise Failure(f"can't read {file}: {error.strerror}") from error
    except NotALook as error:
        raise Failure(f"{file} is not what the block prints on the bastion: {error}") from error
    except ValueError as error:
        raise Failure(f"{file} can't be used: {error}") from error
    if subject.symptom not in JUDGES:
        raise Failure(f"{file} is about {subject.symptom}, of which a look from the bastion tells nothing")
    return look, subject


def _explained(look: Look, subject: Subject) -> _Result:
    from tunneldoctor.bastion.judge import JUDGES
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.engine.explain import Explainer
    from tunneldoctor.model import Finding

    judgement = JUDGES[subject.symptom](look, subject)
    explainer = Explainer(installed_catalog(), _tunnel(subject), ())
    measured = {"egress_address": subject.address or None}

    def explain(finding: Finding, rulings: tuple[Ruling, ...] = ()) -> FindingReport:
        return explainer.explain(finding, _HOP, rulings, measured)

    found = explain(Finding(subject.symptom, subject.params), judgement.rulings)
    if found.symptom is None:  # the symptom's own sentence tells what only the client saw, and its next step was this
        found = replace(found, summary=found.title, next_step=None)
    return _Result(
        subject, look.complete, found, tuple(map(explain, judgement.findings(subject.params))), judgement.puzzle
    )


def _tunnel(subject: Subject) -> Tunnel:
    from tunneldoctor.model import Database, Hop, Tunnel

    bastion = Hop(_HOP, subject.host or "the bastion", subject.port, subject.user)
    target, database = subject.target, None
    if target and subject.engine:
        database = Database(subject.engine, subject.name or target.host, target.port)
    return Tunnel(subject.tunnel or "tunnel", (bastion,), target, database)


def _text(result: _Result, output: Any) -> str:
    from tunneldoctor.model import visible
    from tunneldoctor.report import render_finding

    style = output.style()
    layout = {"color": style.color, "unicode": style.unicode, "width": style.width or _PLAIN_WIDTH}
    subject = result.subject
    login = visible(f"{subject.user}@{subject.host or 'the bastion'}:{subject.port}")
    parts = [f"{login}, as seen from there\n"]
    parts.append(render_finding(result.finding, _HOP, **layout))
    parts += ["and behind it:\n" + render_finding(each, _HOP, **layout) for each in result.further]
    if result.puzzle:
        parts.append(f"{result.puzzle}\n")
    return "".join(parts).rstrip() + "\n"


def _document(result: _Result) -> str:
    import json

    from tunneldoctor import __version__
    from tunneldoctor.report import finding_document, harmless

    subject = result.subject
    document = {
        "schema": _SCHEMA,
        "tool": {"name": "tunneldoctor", "version": __version__},
        "tunnel": subject.tunnel or None,
        "target": {
            "bastion_host": subject.host or None,
            "bastion_port": subject.port,
            "bastion_username": subject.user,
            "remote_bind": str(subject.target) if subject.target else None,
        },
        "egress_address": subject.address or None,
        "exit_code": result.exit_code,
        "complete": result.complete,
        "puzzle": result.puzzle or None,
        "finding": finding_document(result.finding),
        "further": [finding_document(each) for each in result.further],
    }
    return json.dumps(harmless(document), indent=2, allow_nan=False)
