"""A form for a new tunnel, checked while it is filled in by what reads the file, and then written into that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import DescendantFocus, Resize
from textual.widget import Widget
from textual.widgets import Button, Collapsible, Input, Static

from tunneldoctor.catalog import Catalog, text
from tunneldoctor.config import ConfigError, Configuration
from tunneldoctor.config.references import SCHEMES
from tunneldoctor.config.writing import add_tunnel, draft, name_fault, secret_fault, value_fault
from tunneldoctor.model import Problem, Severity, visible
from tunneldoctor.tui.dialog import Dialog, Line

#: Key, what it is, and an example. These matter to every tunnel …
_FIRST = (
    ("ssh_url", "the bastion", "ssh://user@bastion.example.com:22"),
    ("private_key", "the key: a path, or agent:", "~/.ssh/id_ed25519"),
    ("database", "the client's connection string, without its password", "postgresql://app@db.internal:5432/orders"),
    ("remote_bind", "or only where the database is, as the bastion sees it", "db.internal:5432"),
    ("database_password", "where its password is", "env:DB_PASSWORD"),
)
#: … and these to some.
_FURTHER = (
    ("via", "jump hosts in front of the bastion, with blanks between", "ssh://user@jump.example.com"),
    ("private_key_passphrase", "where the key's passphrase is", "keyring:tunnel/orders"),
    ("bastion_password", "where the bastion's password is", "env:BASTION_PASSWORD"),
    ("certificate", "the key's certificate", "~/.ssh/id_ed25519-cert.pub"),
    ("known_hosts", "the hosts we know", "~/.ssh/known_hosts"),
    ("host_key", "the bastion's fingerprint, instead", "SHA256:…"),
    ("local_port", "the tunnel's own end", "5432"),
    ("connect_timeout", "for each stage of each hop", "10s"),
    ("keepalive", "the SSH keepalive of the real client", "30s"),
    ("idle_hold", "how long a connection must survive unused", "10m"),
    ("provider", "aws, azure, gcp or onprem", "aws"),
    ("admin", "an account that may look around on the bastion", "ssh://admin@bastion.example.com"),
    ("run_from", "where the real client runs", "ssh://app@client.example.com"),
)
_SEVERAL = {"via", "host_key"}
_NAME = "name"


class FormScreen(Dialog[str]):
    """Ends with the name of the tunnel that was written to the file at *path*, or with None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "write", "write", id="form.write"),
        Binding("down", "app.focus_next", "next field", id="form.next", show=False),
        Binding("up", "app.focus_previous", "field before", id="form.previous", show=False),
    ]
    DEFAULT_CSS = """
    FormScreen {
        #dialog { height: 90%; }
        #fields { height: 1fr; }
        .field { height: auto; margin-top: 1; }
        .fault { display: none; }
        .fault.shown { display: block; }
        Collapsible, Contents { border: none; padding: 0; margin: 0; background: transparent; }
        CollapsibleTitle { padding: 0; margin-top: 1; }
        #write { margin-top: 1; }
    }
    FormScreen.-short, FormScreen.-narrow {
        .field, CollapsibleTitle, #write { margin-top: 0; }
    }
    """

    def __init__(self, configuration: Configuration, path: Path, catalog: Catalog) -> None:
        super().__init__("A new tunnel")
        self._configuration = configuration
        self._path = path
        self._catalog = catalog
        self._touched: set[str] = set()
        self._told: dict[str, str] = {}

    def compose_inside(self) -> ComposeResult:
        """The name, what every tunnel needs, the rest folded, and what to press."""
        with VerticalScroll(id="fields", can_focus=False):
            yield from self._field(_NAME, "what you call it", "orders")
            for field in _FIRST:
                yield from self._field(*field)
            with Collapsible(title="more"):
                for field in _FURTHER:
                    yield from self._field(*field)
            yield Static(id="refused", classes="fault", markup=False)
            yield Button(Content(f"write it to {visible(str(self._path))}"), id="write", compact=True)
        yield Static("enter: next field · ctrl+s: write it · esc: leave", classes="quiet", markup=False)

    def _field(self, key: str, what: str, example: str) -> ComposeResult:
        with Vertical(classes="field"):
            yield Static(f"{key}: {what}", markup=False)
            yield Line(placeholder=example, id=key, classes="line", select_on_focus=False)
            yield Static(id=f"fault-{key}", classes="fault", markup=False)

    @on(DescendantFocus)
    @on(Resize)
    def _keep_in_view(self) -> None:
        if self.focused:
            self.call_after_refresh(self.scroll_to_center, self.focused)

    def scroll_to_center(self, widget: Widget, *_: Any, **__: Any) -> None:
        """Show all of the field, where Textual would show its line alone: what it is for stands above that."""
        field = widget.query_ancestor(".field", Vertical) if widget.has_class("line") else widget
        field.scroll_visible(animate=False)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if event.value and event.input.id:
            self._touched.add(event.input.id)
        self._judge(self._touched)

    @on(Input.Submitted)
    def _next(self) -> None:
        self.focus_next()

    @on(Button.Pressed)
    def _press(self) -> None:
        self.action_write()

    def action_write(self) -> None:
        """Write it, unless something is wrong."""
        faults = self._judge(None)
        if faults:
            self._go_to(next(iter(faults)))
            return
        written = self._written()
        name = self._value(_NAME)
        try:
            add_tunnel(self._configuration, self._path, name, written)
        except ConfigError as error:
            self._tell("refused", str(error))
            self.call_after_refresh(self.query_one("#refused").scroll_visible, animate=False)
            return
        self.dismiss(name)

    def _go_to(self, key: str) -> None:
        line = self.query_one(f"#{key}", Line)
        for fold in line.ancestors:
            if isinstance(fold, Collapsible):
                fold.collapsed = False
        line.focus()

    def _judge(self, shown: set[str] | None) -> Mapping[str, str]:
        """What is wrong, by key; shown under the fields of *shown* alone, None for all."""
        faults = self._faults()
        for line in self.query(Line):
            key = line.id or ""
            seen = shown is None or key in shown
            self._tell(f"fault-{key}", faults.get(key, "") if seen else "")
        self._tell("refused", "")
        return faults

    def _tell(self, place: str, words: str) -> None:
        if words == self._told.get(place, ""):
            return
        self._told[place] = words
        label = self.query_one(f"#{place}", Static)
        label.update(visible(words))
        label.set_class(bool(words), "shown")

    def _faults(self) -> dict[str, str]:
        written = self._written()
        name = self._value(_NAME)
        faults = {key: fault for key, value in written.items() if (fault := value_fault(key, value))}
        if fault := name_fault(name, self._configuration.names()):
            faults = {_NAME: fault, **faults}
        tunnel = draft(self._configuration, self._path, name or "new", written)
        for key, value in written.items():
            fault = secret_fault(tunnel, key, value)
            faults |= {key: fault} if fault else {}
            # What is no reference is not shown either, but env: is not there yet while its e is typed.
            self.query_one(f"#{key}", Line).password = bool(fault) and not _begins_reference(str(value))
        for problem in tunnel.problems:
            key = _SHOWN_UNDER.get(problem.key, problem.key)
            if self._is_grave(problem) and self.query(f"#{key}"):
                faults.setdefault(key, self._words(problem))
        return faults

    def _is_grave(self, problem: Problem) -> bool:
        page = self._catalog.find(problem.code)
        return (problem.severity or (page.severity if page else Severity.ERROR)) is Severity.ERROR

    def _words(self, problem: Problem) -> str:
        page = self._catalog.find(problem.code)
        values = {"key": problem.key, "origin": str(problem.origin), "hop": problem.hop, **problem.params}
        return text(page.summary, values) if page else problem.code

    def _written(self) -> dict[str, str | tuple[str, ...]]:
        typed = {key: self._value(key) for key, _, _ in (*_FIRST, *_FURTHER)}
        return {key: tuple(value.split()) if key in _SEVERAL else value for key, value in typed.items() if value}

    def _value(self, key: str) -> str:
        return self.query_one(f"#{key}", Line).value.strip()


def _begins_reference(value: str) -> bool:
    return any(f"{scheme}:".startswith(value) for scheme in SCHEMES)


#: Keys that the form asks for as a part of another.
_SHOWN_UNDER = {"bastion_host": "ssh_url", "bastion_port": "ssh_url", "bastion_username": "ssh_url"}
