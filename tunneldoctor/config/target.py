"""Where the tunnel leads: the database as its client names it, and as the bastion sees it."""

from collections.abc import Mapping
from dataclasses import replace

from tunneldoctor.config.database_elsewhere import elsewhere
from tunneldoctor.config.database_files import look_up
from tunneldoctor.config.database_parts import DatabaseUrl
from tunneldoctor.config.database_url import parse
from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.names import note_invisible, read_host, read_username
from tunneldoctor.config.references import expand, literal, note_plain_text, read_password
from tunneldoctor.config.settings import Draft, Entry, Settings
from tunneldoctor.config.text import clean, is_address, is_loopback, port_number, split_port
from tunneldoctor.model import Address, Database, Origin, Reference, Secret, Severity, Tls


def database(settings: Settings, draft: Draft) -> Database | None:
    """The database that ``database`` names, or None where there is none or it can't be read."""
    entry = settings.find("database")
    if entry is None or not entry.value.strip():
        return None
    password = read_password(settings.find, "database_password", "database", settings.surroundings, draft)
    url = _url(entry, settings, draft)
    host = read_host(url.host, "database", "database", entry.origin, draft, "config.bad-database-url") if url else None
    if url is None or host is None:
        return None
    if (url.password and "password" not in url.origins) or url.further_secrets:
        note_plain_text(draft, "database", "database", entry)
    for name, origin in url.origins.items():
        draft.came_from(f"database.{name}", Origin(origin))
    return Database(
        url.engine,
        host,
        url.port,
        read_username(url.user, "database", "database", entry.origin, draft) if url.user else None,
        url.name,
        password or _password(url, settings, draft),
        _with_paths(url.tls, entry, settings),
        url.dialect,
        _options(url),
    )


def _password(url: DatabaseUrl, settings: Settings, draft: Draft) -> Reference | None:
    """The password that the string or the environment holds, else what its client finds in .pgpass."""
    if url.password:
        named = url.origins.get("password") == "$PGPASSWORD"
        return Reference("env", "PGPASSWORD", Secret.of(url.password)) if named else literal(url.password)
    found = look_up(url, settings.surroundings)
    if found and found.ignored:
        params = {"reference": str(found.path), "reason": found.ignored}
        origin = Origin(str(found.path))
        draft.problem("config.secret-not-found", "database", "database_password", origin, Severity.WARNING, **params)
    return found.password if found else None


def _url(entry: Entry, settings: Settings, draft: Draft) -> DatabaseUrl | None:
    cleaned = clean(entry.value)
    text = entry.value.strip()
    if text != entry.value:
        around = replace(cleaned, text="…", found=clean(entry.value.replace(text, "x" * len(text))).found)
        note_invisible(replace(around, harmless=True), "URL", "database", "database", entry.origin, draft)
    try:
        return parse(text, lambda client, options: elsewhere(client, options, settings.surroundings))
    except BadUrl as error:
        params = {"part": error.part, "reason": error.reason, "correction": error.correction}
        draft.problem("config.bad-database-url", "database", "database", entry.origin, **params)
        return None


def _options(url: DatabaseUrl) -> Mapping[str, str]:
    options = url.open_options()
    if url.driver:
        options["driver"] = url.driver
    if url.others:
        options["further hosts"] = ", ".join(url.others)
    return options


def _with_paths(tls: Tls, entry: Entry, settings: Settings) -> Tls:
    def path(name: str | None) -> str | None:
        return str(expand(name, entry.base, settings.surroundings)) if name and name != "system" else name

    return replace(
        tls,
        root_certificate=path(tls.root_certificate),
        client_certificate=path(tls.client_certificate),
        client_key=path(tls.client_key),
    )


def remote(settings: Settings, named: Database | None, draft: Draft) -> Address | None:
    """The database as the bastion sees it: ``remote_bind``, else what ``database`` names."""
    entry = settings.find("remote_bind")
    if entry and entry.value.strip():
        place = _bind(entry, named, draft)
        if place:
            _compare(place, entry, named, draft)
        return place
    given = settings.find("database")
    if named and given:
        draft.came_from("remote_bind", given.origin)
        _note_loopback(named.address, "database", given.origin, draft)
        return named.address
    if given is None or not given.value.strip():
        several = settings.ssh.several_forwards if settings.ssh else False
        _note_nowhere(entry.origin if entry else Origin("nowhere"), several, draft)
    return None


def _bind(entry: Entry, named: Database | None, draft: Draft) -> Address | None:
    cleaned = clean(entry.value)
    try:
        host, written = split_port(cleaned.text)
    except ValueError:
        host, written = "", None
    port = port_number(written) if written else named.port if named else None
    if not host or port is None or "://" in entry.value:
        _note_bad_bind(entry, written, draft)
        return None
    note_invisible(cleaned, "target", "bastion", "remote_bind", entry.origin, draft)
    if " " in cleaned.text:
        return None
    readable = read_host(host, "bastion", "remote_bind", entry.origin, draft, "config.bad-remote-bind")
    return Address(readable, port) if readable else None


def _note_bad_bind(entry: Entry, written: str | None, draft: Draft) -> None:
    if "://" in entry.value or "@" in entry.value:
        reason = "it is a URL"
    elif written:
        reason = "what stands after the colon is not a port"
    else:
        reason = "it does not name a host and a port"
    params = {"part": "target", "reason": reason, "correction": "write host:port, or [IPv6]:port"}
    draft.problem("config.bad-remote-bind", "bastion", "remote_bind", entry.origin, **params)


def _compare(place: Address, entry: Entry, named: Database | None, draft: Draft) -> None:
    _note_loopback(place, "remote_bind", entry.origin, draft)
    own_end = named and (is_loopback(named.host) or is_loopback(named.options.get("hostaddr", "")))
    if named is None or own_end or _same(place, named.address):
        return
    params = {"remote_bind": str(place), "database": str(named.address)}
    draft.problem("config.remote-bind-mismatch", "bastion", "remote_bind", entry.origin, Severity.WARNING, **params)


def _same(one: Address, other: Address) -> bool:
    """False only where the two can't be one place: a name and an address may well be."""
    if one.port != other.port:
        return False
    names = [each.host.lower().removesuffix(".") for each in (one, other)]
    return names[0] == names[1] or is_address(names[0]) != is_address(names[1])


def _note_loopback(place: Address, key: str, origin: Origin, draft: Draft) -> None:
    if is_loopback(place.host):
        params = {"target": str(place)}
        draft.problem("config.loopback-target", "bastion", key, origin, Severity.WARNING, **params)


def _note_nowhere(origin: Origin, several: bool, draft: Draft) -> None:
    what = "the database that the tunnel leads to"
    if several:
        what += " (the entry of ssh_config has several LocalForward lines, or one that leads to no TCP port)"
    example = 'remote_bind = "db.internal.corp:5432"'
    params = {"field": "remote_bind", "what": what, "example": example}
    draft.problem("config.missing-field", "bastion", "remote_bind", origin, **params)
