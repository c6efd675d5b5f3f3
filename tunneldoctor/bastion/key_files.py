"""Whether one of the files that sshd reads lets this key in: there, readable, safe, with the key, and for us now.

Sources: OpenSSH auth2-pubkeyfile.c (auth_openfile, auth_check_authkey_line, auth_authorise_keyopts), misc.c
(safe_path). A file is opened as the user; StrictModes come next; then the lines, of which one that fits is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tunneldoctor.bastion.case import Case
from tunneldoctor.bastion.key_lines import KeyLine, lines_of
from tunneldoctor.bastion.modes import Way
from tunneldoctor.bastion.settings import source_fits
from tunneldoctor.bastion.sight import Sight

UNREADABLE, UNSAFE, ABSENT = "auth.authorized-keys-unreadable", "auth.bad-permissions", "auth.key-not-authorized"
EXPIRED, ELSEWHERE_FROM = "auth.key-expired", "auth.from-mismatch"
CODES = (UNREADABLE, UNSAFE, ABSENT, EXPIRED, ELSEWHERE_FROM)
#: Where people put keys whatever sshd is told (sshd_config(5), the default of AuthorizedKeysFile).
_USUAL = (".ssh/authorized_keys", ".ssh/authorized_keys2")

#: EC2 Instance Connect, on Amazon's and Ubuntu's images: it knows keys that were sent within the last minute.
_FRESH_KEYS_ONLY = ("eic_run_authorized_keys",)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file of keys: the way to it, and its lines; None where the admin may not see them."""

    path: str
    way: Way | None
    lines: tuple[KeyLine, ...] | None

    @property
    def is_absent(self) -> bool:
        """True where there is no such file."""
        return self.way is not None and bool(self.way.absent)

    def ours(self, case: Case) -> tuple[KeyLine, ...]:
        """The lines that are for this key, or for the authority that signed its certificate."""
        certificate = case.subject.certificate_facts()
        wanted = {(case.subject.fingerprint, False)} | ({(certificate.ca_fingerprint, True)} if certificate else set())
        lines = self.lines or ()
        return tuple(line for line in lines if (line.fingerprint, line.has("cert-authority")) in wanted)


def files_read(case: Case) -> tuple[KeyFile, ...]:
    """The files that sshd reads, in its order."""
    paths = dict.fromkeys(map(case.path, case.settings.all("authorizedkeysfile")))
    return tuple(_file(case, path) for path in paths)


def _files_passed_over(case: Case, read: tuple[KeyFile, ...]) -> tuple[KeyFile, ...]:
    """The usual files that are not among those that sshd reads."""
    paths = {file.path for file in read}
    return tuple(_file(case, path) for path in map(case.path, _USUAL) if path not in paths)


def _file(case: Case, path: str) -> KeyFile:
    section = case.look.section("keys", path)
    lines = lines_of(section) if section and section.status == 0 else None
    way = Way.of(case.look.section("path", path))
    return KeyFile(path, way, () if way and way.absent else lines)


def sights_of_key_files(case: Case) -> Iterator[Sight]:
    """What is wrong, in sshd's order, and what is in order."""
    read = files_read(case)
    holders = [file for file in read if file.ours(case)]
    faults = [tuple(_faults(case, file)) for file in holders]
    if () in faults:  # one file is in order all the way
        wrong: tuple[Sight, ...] = ()
    elif holders:
        wrong = faults[0]
    else:
        wrong = (*_way_faults(case, read), *_missing(case, read))
    yield from wrong
    named = {each.code for each in wrong}
    for code, because in _in_order(case, read, holders).items():
        if code not in named:
            yield Sight(code, False, because)


def _way_faults(case: Case, read: tuple[KeyFile, ...]) -> Iterator[Sight]:
    there = next((file for file in read if file.way and not file.is_absent), None)
    if there:
        yield from _on_the_way(case, there)


def _faults(case: Case, file: KeyFile) -> Iterator[Sight]:
    yield from _on_the_way(case, file)
    lines = file.ours(case)
    faults = [tuple(_by_options(case, file, line)) for line in lines]
    if faults and () not in faults:
        yield from faults[0]


def _on_the_way(case: Case, file: KeyFile) -> Iterator[Sight]:
    """What keeps sshd from reading the file: it can't be opened, is no file, or is not safe."""
    way, person = file.way, case.person
    if way is None or not way.whole:
        return
    barred = way.barred(person.uid, person.gids)
    if barred and not barred.acl:
        yield Sight(UNREADABLE, True, f"{person.name}, as whom sshd opens {file.path}, may not: {barred}")
    elif way.file and not way.file.mode.startswith("-"):
        yield Sight(UNREADABLE, True, f"{way.file}: no regular file")
    if case.settings.is_on("strictmodes") and way.file:
        lenient = case.settings.lets_a_private_group_write
        unsafe = way.unsafe(person.name, person.uid, person.real_home, lenient)
        if unsafe:
            yield Sight(UNSAFE, True, f"StrictModes yes: {unsafe}", {"path": unsafe.path})


def _by_options(case: Case, file: KeyFile, line: KeyLine) -> Iterator[Sight]:
    where = f"{file.path}, line {line.number}"
    if line.garbled or line.unknown_option:
        what = f"the option {line.unknown_option}" if line.unknown_option else "options"
        yield Sight(ABSENT, True, f"{where} has {what} that sshd can't read: it drops the line")
        return
    if case.now is not None and line.expired(case.now, case.local_time):
        ended = ", ".join(line.values("expiry-time"))
        yield Sight(EXPIRED, True, f"{where} has expiry-time={ended}, which has passed")
    address, allowed = case.subject.address, line.values("from")
    if address and allowed and not source_fits(address, case.source_name, allowed[0]):
        yield Sight(ELSEWHERE_FROM, True, f"{where} has from={allowed[0]}, and sshd sees us as {address}")


def _missing(case: Case, read: tuple[KeyFile, ...]) -> Iterator[Sight]:
    """No file that sshd reads has the key."""
    if not case.subject.fingerprint or any(file.lines is None for file in read):
        return
    names = ", ".join(file.path for file in read) or "no file"
    elsewhere = next((file for file in _files_passed_over(case, read) if file.ours(case)), None)
    if elsewhere:
        yield Sight(UNREADABLE, True, f"the key is in {elsewhere.path}, and sshd reads {names}")
    elif any(case.person.home in (file.way.absent if file.way else ()) for file in read):
        yield Sight(UNREADABLE, True, f"the home folder {case.person.home} does not exist")
    elif not _command(case):
        yield Sight(ABSENT, True, f"{names}: {_told(read)}")


def _command(case: Case) -> str:
    """A program that may know keys which no file has. It is not run here; one that prints fresh keys only does not."""
    command = case.settings.one("authorizedkeyscommand")
    return "" if any(each in command for each in _FRESH_KEYS_ONLY) else command


def _told(read: tuple[KeyFile, ...]) -> str:
    """What is there instead of the key: for a damaged line of ours the numbers, else how many keys."""
    lines = [line for file in read for line in file.lines or ()]
    damaged = [str(line.number) for line in lines if line.is_damaged_ours]
    unreadable = [str(line.number) for line in lines if not line.fingerprint]
    if damaged:
        return f"line {damaged[0]} holds a part of this key, and not all of it"
    if not lines:
        return "no key at all"
    note = f"; line {', '.join(unreadable[:5])} can't be read" if unreadable else ""
    return f"{len(lines)} keys, and not this one{note}"


def _in_order(case: Case, read: tuple[KeyFile, ...], holders: list[KeyFile]) -> dict[str, str]:
    """What may be ruled out where it was not found wrong."""
    known = bool(case.subject.fingerprint) and all(file.lines is not None for file in read)
    ways = [file.way for file in (holders or read) if file.way]
    clear: dict[str, str] = {}
    if ways and all(way.whole for way in ways):
        barred = any(way.barred(case.person.uid, case.person.gids) for way in ways if way.file)
        if not barred:
            clear[UNREADABLE] = "the user may read the files that sshd looks at"
        clear[UNSAFE] = "owners and modes are what StrictModes wants"
    if holders:
        clear[ABSENT] = f"{holders[0].path} has the key"
        clear[EXPIRED] = "the line of the key has no expiry-time that has passed"
        if case.subject.address or not any(line.has("from") for file in holders for line in file.ours(case)):
            clear[ELSEWHERE_FROM] = "the line of the key has no from= that excludes us"
    elif known and not _command(case):
        clear[EXPIRED] = clear[ELSEWHERE_FROM] = "no line has the key"
    return clear
