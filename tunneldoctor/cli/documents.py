"""The document of ``check`` in the format that was asked for: as a whole at the end, or event by event."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tunneldoctor.cli.console import Output, drop_stdout
from tunneldoctor.cli.redaction import SECRETS, Shared, shared

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tunneldoctor.cli.options import Presentation
    from tunneldoctor.model import Event, Fleet, Report, Tunnel

#: Columns of a text that goes to no terminal.
_PLAIN_WIDTH = 100


class Documents:
    """Gets every event and the reports, and writes what the format wants. Use as a context manager."""

    def __init__(self, presentation: Presentation, fleet: bool) -> None:
        self._presentation = presentation
        self._fleet = fleet
        self._output = Output(presentation.output, presentation.color)
        self._remarks: Mapping[str, str] = {}
        self._held: list[tuple[str, Event]] = []
        self._gone = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._output.close()

    @property
    def streams_to_terminal(self) -> bool:
        """Events are shown as they happen, so no other progress should stand between them."""
        return self._presentation.format == "ndjson" and self._output.is_terminal

    def see(self, tunnel: Tunnel, event: Event) -> None:
        """Write *event* where the format is a stream of events; at the end, where names are to be replaced in it."""
        if self._presentation.format != "ndjson":
            return
        if self._presentation.redact == SECRETS:
            self._write_event(tunnel.name, event)
        else:
            self._held.append((tunnel.name, event))

    def _write_event(self, tunnel: str, event: Event) -> None:
        from tunneldoctor.report import event_line

        self._write(event_line(event, tunnel if self._fleet else None), machine=True)

    @property
    def is_text(self) -> bool:
        """The document is for people, so that remarks have a place in it."""
        return self._presentation.format == "text"

    def finish(
        self, reports: Sequence[Report], started: datetime, finished: datetime, remarks: Mapping[str, str] | None = None
    ) -> int:
        """Write the document and return the exit status. *remarks* end a text, by the name of the tunnel."""
        from tunneldoctor.model import Fleet

        what = shared(Shared(reports, self._held, remarks or {}), self._presentation.redact)
        self._remarks = what.remarks
        for tunnel, event in what.events:
            self._write_event(tunnel, event)
        fleet = Fleet.of(what.reports, started, finished)
        if self._presentation.format != "ndjson":
            document = self._of_fleet(fleet) if self._fleet else self._of_report(what.reports[0])
            self._write(document, machine=not self.is_text)
        return fleet.exit_code

    def _of_report(self, report: Report) -> str:
        from tunneldoctor import report as formats

        match self._presentation.format:
            case "json":
                return formats.report_json(report)
            case "markdown":
                return formats.render_markdown(report)
            case "junit":
                return formats.render_junit(report)
            case "prometheus":
                return formats.render_prometheus(report)
        return formats.render_text(report, **self._layout())

    def _of_fleet(self, fleet: Fleet) -> str:
        from tunneldoctor import report as formats

        match self._presentation.format:
            case "json":
                return formats.fleet_json(fleet)
            case "markdown":
                return formats.render_markdown_fleet(fleet)
            case "junit":
                return formats.render_junit_fleet(fleet)
            case "prometheus":
                return formats.render_prometheus_fleet(fleet)
        return formats.render_text_fleet(fleet, **self._layout())

    def _layout(self) -> dict[str, Any]:
        style = self._output.style()
        shown = self._presentation
        return {
            "color": style.color,
            "unicode": style.unicode,
            "width": style.width or _PLAIN_WIDTH,
            "verbose": shown.verbose,
            "quiet": shown.quiet,
            "remarks": self._remarks,
        }

    def _write(self, document: str, machine: bool) -> None:
        """A reader that went away (``| head``) does not change what was found, nor the exit status."""
        if self._gone or not document:
            return
        try:
            self._output.write(document, machine)
        except BrokenPipeError:
            self._gone = True
            drop_stdout()
