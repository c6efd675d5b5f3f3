"""The main screen: one tunnel's examination, live or from a file, and all that can be done about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, cast

from textual import on
from textual.binding import Binding, BindingType

from tunneldoctor.model import Event, Policy, Provider, Report, RunFinished, RunStarted, Secret
from tunneldoctor.tui.bridge import Bridge, Broken, Happened, Ready, Told
from tunneldoctor.tui.detail import finding_of
from tunneldoctor.tui.session import Session
from tunneldoctor.tui.state import Phase, State, again, fold, fold_all, with_report
from tunneldoctor.tui.tree import CheckTree
from tunneldoctor.tui.view import View

if TYPE_CHECKING:
    from textual.screen import Screen
    from textual.timer import Timer

    from tunneldoctor.tui.app import TunneldoctorApp
    from tunneldoctor.tui.asked import Question


class ExaminationScreen(View):
    """With *saved* events nothing is run: they are shown, and the network is left alone."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("R", "run", "run", id="run", tooltip="Examine the whole tunnel again"),
        Binding("r", "again", "again", id="check.again", tooltip="Look again at this check and at what stands on it"),
        Binding("x", "cancel", "cancel", id="cancel", tooltip="End the run; what was found so far stays"),
        Binding("n", "problem(1)", "next problem", id="problem.next", tooltip="To the next problem"),
        Binding("N", "problem(-1)", id="problem.previous", show=False, tooltip="To the problem before"),
        Binding(
            "y", "copy_fix", "copy fix", id="copy.fix", tooltip="Copy the commands of the fix, or of the next look"
        ),
        Binding("Y", "copy_report", id="copy.report", show=False, tooltip="Copy the whole report, for a ticket"),
        Binding("s", "save", "save", id="save", tooltip="Save the report as Markdown, JSON, NDJSON or text"),
        Binding("d", "difference", "difference", id="difference", tooltip="What changed since it last worked"),
        Binding(
            "l", "log", "log", id="log", tooltip="What was really done, with the commands that do the same by hand"
        ),
        Binding("w", "watch", "watch", id="watch", tooltip="Examine it again and again, with a history of latencies"),
        Binding("a", "secret", "secret", id="secret", tooltip="Give the passphrase or password that was missing"),
        Binding("p", "provider", id="provider", show=False, tooltip="Whose commands the advice shows: AWS, Azure …"),
        Binding("slash", "filter", "filter", id="filter", tooltip="Show only the checks with these words"),
        Binding("plus", "maximise", id="maximise", show=False, tooltip="Give this pane the whole screen, and back"),
        Binding(
            "question_mark", "help", "help", id="help", tooltip="All keys, what the signs mean, where the files are"
        ),
        Binding("escape", "back", id="back", show=False, tooltip="Back: from a pane, a filter, the examination"),
    ]

    def __init__(self, session: Session, state: State, saved: Sequence[Event] = ()) -> None:
        super().__init__(session, state)
        self._saved = tuple(saved)
        self._events: list[Event] = []
        self._watching: Timer | None = None
        self._bridge = Bridge(self.post_message, session.installed, session.asked, self._keep)

    def on_mount(self) -> None:
        """Begin at once; the checks are loaded after the first screen is up. Textual calls the one of View as well."""
        if self._saved:
            self._events = list(self._saved)
            self.show(fold_all(self.state, self._saved))
            self._bridge.warm_up()
        else:
            self.call_after_refresh(self._run)

    def leave(self) -> None:
        """The screen is about to go: end what runs."""
        if self._watching:
            self._watching.stop()
            self._watching = None
        self._bridge.cancel()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what can be done now is among the keys."""
        running = self.state.phase is Phase.RUNNING
        if action == "cancel":
            return running
        if action == "secret":
            return not running and bool(self._questions())
        if action in {"run", "again", "watch"}:
            return not self._saved
        if action in {"save", "copy_report", "difference", "provider"}:
            return self.state.report is not None
        return True

    # what runs

    def action_run(self) -> None:
        """Examine the whole tunnel again."""
        if self.state.phase is not Phase.RUNNING:
            self._run()

    def action_again(self) -> None:
        """Look again at the selected check and at what stands on it."""
        look, tunnel = self.selected, self.state.tunnel
        if look is None or tunnel is None or self.state.phase is Phase.RUNNING or self.state.report is None:
            return
        from tunneldoctor.engine.revise import dependants

        checks = [check for package in self.session.installed.packages for check in package.checks]
        self._start(replace(self.session.policy, only=dependants(checks, look.planned.id)), part=True)

    def action_cancel(self) -> None:
        """End the run, and the watch."""
        self._stop_watching()
        self._bridge.cancel()

    def action_watch(self) -> None:
        """Begin to examine it again and again, or stop."""
        if self._watching:
            self._stop_watching()
            self._say("stopped watching")
        else:
            self._watching = self.set_interval(self.session.watch, self.action_run)
            self._say(f"watching: again every {self.session.watch:g} s; w stops")
            self.action_run()

    def _stop_watching(self) -> None:
        if self._watching:
            self._watching.stop()
            self._watching = None

    def _run(self) -> None:
        self._start(self.session.policy)

    def _start(self, policy: Policy, part: bool = False) -> None:
        tunnel = self.state.tunnel
        if tunnel is None:
            return
        self.began()
        self.show(again(self.state, part))
        self._bridge.start(self.session.asked.tunnel(tunnel), policy)

    @on(Happened)
    def _happened(self, message: Happened) -> None:
        if message.run != self._bridge.run:
            return
        event = message.event
        if isinstance(event, RunStarted):
            self.began()
            if not self.state.part:
                self._events = []
        state = fold(self.state, event)
        if isinstance(event, RunFinished):
            assert state.report
            event = RunFinished(event.at_ms, state.report)
            self._events = [each for each in self._events if not isinstance(each, RunFinished)]
            cast("TunneldoctorApp", self.app).report = state.report
        self._events.append(event)
        self.show(state)
        if isinstance(event, RunFinished):
            self._after(event.report)

    def _after(self, report: Report) -> None:
        """A watch that can't end well does no good: refused logins lock accounts and addresses out."""
        from tunneldoctor.examination.examination import may_heal

        self.refresh_bindings()
        if self._watching and report.exit_code == 1 and not may_heal(report, self.session.installed.catalog):
            self._stop_watching()
            self._say(
                "stopped watching: this does not pass by itself, and refused logins may lock you out; R looks again"
            )

    @on(Told)
    def _told(self, message: Told) -> None:
        self._say(message.text)

    @on(Ready)
    async def _ready(self) -> None:
        await self.draw_detail()

    @on(Broken)
    def _broken(self, message: Broken) -> None:
        if self._saved:
            self._say(message.reason, bad=True)
        else:
            cast("TunneldoctorApp", self.app).give_up(message.reason)

    def _keep(self, report: Report) -> None:
        """On the run's thread."""
        history = self.session.history(self._bridge.tell)
        if history:
            history.keep(report)

    # what is shown

    def action_problem(self, step: int) -> None:
        """To the next problem, or the one before; round and round."""
        tree = self.query_one(CheckTree)
        keys, problems = list(self.state.looks), tree.problems()
        if not problems:
            self._say("no problems")
            return
        at = keys.index(self.selected.key) if self.selected else -1
        later = [key for key in problems if keys.index(key) > at] if step > 0 else []
        sooner = [key for key in problems if keys.index(key) < at] if step < 0 else []
        tree.go((later or problems)[0] if step > 0 else (sooner or problems)[-1])
        tree.focus()

    async def action_filter(self) -> None:
        """Type what the checks to show have in them."""
        line = await self.open_filter()
        line.add_class("shown")
        line.focus()

    async def action_log(self) -> None:
        """Show the log, or hide it."""
        log = await self.open_log()
        log.toggle_class("shown")
        (log if log.has_class("shown") else self.query_one(CheckTree)).focus()

    def action_maximise(self) -> None:
        """Give the pane with the keys the whole screen, and back."""
        self.maximise()

    def action_back(self) -> None:
        """Out of whatever was entered last."""
        tree, line = self.query_one(CheckTree), self.filter_line
        if self.share() or self.focused is not tree or (line and line.has_class("shown")):
            if line:
                line.value = ""
                line.remove_class("shown")
            tree.focus()
        elif len(self.app.screen_stack) > 2 or cast("TunneldoctorApp", self.app).picks:
            self.leave()
            self.dismiss(None)

    # what is done with it

    def action_copy_fix(self) -> None:
        """Copy the commands of the fix; where it is open what to fix, of the look that tells."""
        finding = finding_of(self.selected)
        open_causes = finding is not None and len(finding.causes) > 1 and finding.next_step
        steps = ((finding.next_step,) if open_causes else finding.remedy) if finding else ()
        commands = [step.command for step in steps if step and step.command]
        if commands:
            self._copy("\n".join(commands))
        else:
            self._say("there is no command to copy here")

    def action_copy_report(self) -> None:
        """Copy the whole report as Markdown."""
        from tunneldoctor.report import render_markdown

        if self.state.report:
            self._copy(render_markdown(self.state.report))

    def _copy(self, text: str) -> None:
        from tunneldoctor.tui.clipboard import copy

        self._say(copy(self.app, text))

    def action_save(self) -> None:
        """Save the report."""
        from tunneldoctor.tui.save import SaveScreen

        if self.state.report:
            self.app.push_screen(SaveScreen(self.state.report, self._events), self._saved_to)

    def _saved_to(self, path: object) -> None:
        if path:
            self._say(f"saved to {path}")

    def action_difference(self) -> None:
        """What changed since it last worked."""
        from tunneldoctor.tui.difference import DifferenceScreen

        report, history = self.state.report, self.session.history(self._say)
        kept = history.last_that_worked(report.tunnel.name, report.started_at) if report and history else None
        if report and kept:
            self.app.push_screen(DifferenceScreen(kept.report, report))
        else:
            self._say("no earlier run that worked is kept to compare with")

    def action_provider(self) -> None:
        """Choose whose commands the advice shows."""
        from tunneldoctor.tui.choose import ChooseScreen

        if self.state.tunnel and self.state.report:
            self.app.push_screen(ChooseScreen.of_providers(self.state.tunnel.provider), self._provided)

    def _provided(self, name: str | None) -> None:
        tunnel, report = self.state.tunnel, self.state.report
        if name is None or tunnel is None or report is None:
            return
        from tunneldoctor.engine.revise import advised

        provider = Provider(name)
        self.show(
            with_report(
                replace(self.state, tunnel=replace(tunnel, provider=provider)),
                advised(report, self.session.installed.catalog, provider),
            )
        )

    def action_secret(self) -> None:
        """Ask for the secret that was missing, and examine the tunnel again with it."""
        from tunneldoctor.tui.prompt import SecretPrompt

        question = self._questions()[0]
        self.app.push_screen(SecretPrompt(question.name, question.why), lambda given: self._given(question, given))

    def _given(self, question: Question, secret: Secret | None) -> None:
        if secret is not None:
            self.session.asked.give(question, secret)
            self._run()

    def _questions(self) -> tuple[Question, ...]:
        report = self.state.report
        return self.session.asked.questions(report) if report and not self._saved else ()

    def action_help(self) -> None:
        """All keys, what the signs mean, where the files are."""
        from tunneldoctor.tui.help import HelpScreen

        self.app.push_screen(HelpScreen(cast("Screen[object]", self), self.session.paths()))

    def _say(self, text: str, bad: bool = False) -> None:
        self.notify(text, severity="error" if bad else "information", markup=False)
