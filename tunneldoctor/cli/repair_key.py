"""``tunneldoctor repair-key``: tell what is wrong with a private key's file, and mend it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunneldoctor.cli.completion import complete_files
from tunneldoctor.cli.failure import Failure
from tunneldoctor.cli.options import json_option
from tunneldoctor.cli.source import STDIN, content

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tunneldoctor.ssh.damage import Damage
    from tunneldoctor.ssh.repair import Plan


@click.command("repair-key", short_help="Tell what is wrong with a private key's file, and mend it.")
@click.argument("file", metavar="FILE", shell_complete=complete_files)
@click.option("--write", is_flag=True, help="Mend it; the original is kept beside it, as FILE.orig.")
@click.option("--passphrase", metavar="REF", help="env:NAME or file:PATH; needed where the key has to be converted.")
@json_option
def command(file: str, write: bool, passphrase: str | None, as_json: bool) -> int:
    """Tell what is wrong with the private key in FILE (- for stdin) and what mending it would do.

    Nothing is changed without --write, and nothing of the key is ever shown. With it, the mended file must load, as
    the same key, before it takes the place of the old one.

    Exit status: 0 nothing is wrong or it was mended, 1 there is something to mend or it can't be mended, 2 the
    command line or FILE can't be used.
    """
    from tunneldoctor.cli.console import Output
    from tunneldoctor.ssh.repair import plan

    if write and file == STDIN:
        raise Failure("what comes from stdin can't be written back: name the file")
    word = _passphrase(passphrase)
    data = _read(file)
    result = Result(file, plan(data, word), _too_open(file))
    if write and result.status == "repairable":
        result = _written(result, data)
    with Output(None) as output:
        output.write(_document(result) if as_json else "\n".join(_lines(result)), machine=as_json)
    return result.exit_code


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it. ``mode`` is the file's, where others have rights; ``original`` is where the old file is kept.

    ``proof`` says how it is known that the mended file is good, ``failure`` why it was not written.
    """

    file: str
    plan: Plan
    mode: str | None = None
    written: bool = False
    original: str | None = None
    proof: tuple[str, ...] = ()
    failure: str | None = None

    @property
    def steps(self) -> tuple[str, ...]:
        """All that is to be done, or was; nothing where it would not make the file good."""
        if not self.plan.sound:
            return ()
        return (*self.plan.steps, *(("take every right from group and others",) if self.mode else ()))

    @property
    def status(self) -> str:
        """``sound``, ``repairable``, ``repaired`` or ``beyond-repair``."""
        if not self.plan.sound or self.failure:
            return "beyond-repair"
        if self.written:
            return "repaired"
        return "repairable" if self.steps else "sound"

    @property
    def exit_code(self) -> int:
        """0 where the file is good now."""
        return 0 if self.status in ("sound", "repaired") else 1


def _read(file: str) -> bytes:
    from tunneldoctor.config.secrets import LARGEST, read_secret
    from tunneldoctor.model import Reference, SecretUnavailable

    if file == STDIN:
        return content(file, LARGEST)
    try:
        return read_secret(Reference("file", file)).reveal()
    except SecretUnavailable as error:
        raise Failure(error.reason) from error


def _passphrase(given: str | None) -> bytes | None:
    from tunneldoctor.config.references import TextReference
    from tunneldoctor.config.secrets import read_secret
    from tunneldoctor.model import SecretUnavailable

    if given is None:
        return None
    scheme, colon, name = given.partition(":")
    if not colon or scheme not in ("env", "file", "keyring"):
        raise Failure("--passphrase takes env:NAME or file:PATH, never the passphrase itself")
    try:
        return read_secret(TextReference(scheme, name)).reveal()
    except SecretUnavailable as error:
        raise Failure(error.reason) from error


def _too_open(file: str) -> str | None:
    """The mode of a file of our own that ssh would not take because of it (sshkey_perm_ok in authfile.c)."""
    import os
    import stat

    if file == STDIN or os.name == "nt":
        return None
    status = Path(file).expanduser().stat()
    mode = stat.S_IMODE(status.st_mode)
    return f"{mode:04o}" if status.st_uid == os.getuid() and mode & 0o077 else None


def _written(result: Result, data: bytes) -> Result:
    from tunneldoctor.ssh import key_file

    path = Path(result.file).expanduser()
    try:
        if result.plan.content is None:
            key_file.close_to_others(path)
            return replace(result, written=True)
        done = key_file.replace(path, data, result.plan)
    except key_file.NotReplaced as error:
        return replace(result, failure=str(error))
    except OSError as error:
        return replace(result, failure=f"{error.filename or result.file}: {error.strerror}")
    return replace(result, written=True, original=str(done.original), proof=done.proof)


def _lines(result: Result) -> Iterator[str]:
    from tunneldoctor.model import visible

    yield f"{visible(result.file)}: {_WORDS[result.status]}"
    for damage in _told(result):
        yield f"  {damage['code']} ({damage['severity']}): {damage['summary']}"
    if result.steps:
        yield "Done:" if result.written else "What would be done:"
        yield from (f"  - {step}" for step in result.steps)
    if result.failure:
        yield f"Nothing was written: {visible(result.failure)}"
    if result.plan.public:
        yield f"The public half: {result.plan.public}"
    yield from (f"Proof: {visible(line)}" for line in result.proof)
    if result.original:
        yield f"The original is kept as {visible(result.original)}"
    yield from _advice(result)


def _advice(result: Result) -> Iterator[str]:
    left = [each.code for each in result.plan.left]
    if result.status == "beyond-repair":
        if "key.passphrase-missing" in left:
            yield "With the passphrase more can be done: --passphrase env:NAME or file:PATH"
        yield from (f"What to do: tunneldoctor explain {code}" for code in left if code != "key.passphrase-missing")
    if result.status == "repairable" and result.file != STDIN:
        yield "Nothing was changed. --write does it, and keeps the original."


_WORDS = {
    "sound": "nothing to repair",
    "repairable": "can be repaired",
    "repaired": "repaired",
    "beyond-repair": "can't be repaired",
}


def _told(result: Result) -> list[dict[str, Any]]:
    """What is wrong in the words of the pages."""
    from tunneldoctor.ssh.damage import Damage

    damages = list(result.plan.damages)
    if result.mode:
        damages.append(Damage("key.permissions-too-open", {"mode": result.mode, "path": result.file}))
    return [_damage(result, each) for each in damages]


def _damage(result: Result, damage: Damage) -> dict[str, Any]:
    from tunneldoctor.catalog import text
    from tunneldoctor.cli.checks import installed_catalog
    from tunneldoctor.ssh.repair import NO_FAULT

    page = installed_catalog().page(damage.code)
    values = {"source": result.file, "private_key": result.file, **damage.params}
    return {
        "code": damage.code,
        "severity": "info" if damage.code in NO_FAULT else str(damage.severity),
        "title": text(page.title, values),
        "summary": text(page.summary, values),
        "params": dict(damage.params),
    }


def _document(result: Result) -> str:
    import json

    document = {
        "schema": "tunneldoctor.repair-key/1",
        "file": result.file,
        "status": result.status,
        "exit_code": result.exit_code,
        "damages": _told(result),
        "steps": list(result.steps),
        "left": [each.code for each in result.plan.left],
        "public_key": result.plan.public,
        "written": result.written,
        "original": result.original,
        "proof": list(result.proof),
        "failure": result.failure,
    }
    return json.dumps(document, indent=2)
