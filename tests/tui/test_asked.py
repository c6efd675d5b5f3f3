"""Secrets that are typed: asked for only where one is missing, good for this session, and shown nowhere."""

from dataclasses import replace

import pytest

from tests.report.samples import BASTION, EDGE, ORDERS
from tests.report.scenarios import SCENARIOS
from tests.tui.screen import SIZES
from tests.tui.stage import shown
from tunneldoctor.model import Reference, Report, Secret, SecretUnavailable, Severity
from tunneldoctor.tui.asked import Asked
from tunneldoctor.tui.prompt import SecretPrompt

TYPED = "correct horse Pl4nted"
KEY = Reference("file", "/home/me/.ssh/orders")


def unreadable(reference: Reference) -> Secret:
    raise SecretUnavailable(reference, "missing", "it is not there")


def report(code: str, hop: str = "bastion", **params: str) -> Report:
    """A report with one finding; the jump host has the bastion's key."""
    base = SCENARIOS["broken"]()
    tunnel = replace(ORDERS, hops=(replace(EDGE, private_keys=(KEY,)), replace(BASTION, private_keys=(KEY,))))
    check = next(each for each in base.checks if each.findings)
    finding = replace(check.findings[0], code=code, params=params, summary="It is missing.", severity=Severity.ERROR)
    return replace(base, tunnel=tunnel, checks=(replace(check, hop=hop, findings=(finding,)),))


@pytest.mark.parametrize(
    ("code", "hop", "params", "name"),
    [
        ("key.passphrase-missing", "bastion", {}, "passphrase for file:/home/me/.ssh/orders"),
        ("key.passphrase-missing", "via-1", {}, "passphrase for file:/home/me/.ssh/orders"),
        ("db.password-missing", "database", {}, "password for the database of orders"),
        ("config.secret-not-found", "here", {"key": "database_password"}, "password for the database of orders"),
        ("config.secret-not-found", "here", {"key": "bastion_password"}, "password for the bastion of orders"),
    ],
)
def test_what_is_missing_is_asked_for_by_a_name_that_says_where_it_belongs(
    code: str, hop: str, params: dict[str, str], name: str
) -> None:
    (question,) = Asked(unreadable).questions(report(code, hop, **params))
    assert question.name == name
    assert question.why == "It is missing."


@pytest.mark.parametrize("scenario", ["healthy", "broken", "symptom", "degraded"])
def test_where_no_secret_is_missing_nothing_is_asked(scenario: str) -> None:
    assert Asked(unreadable).questions(SCENARIOS[scenario]()) == ()


def test_what_was_typed_is_used_for_every_hop_with_that_key_and_for_no_other() -> None:
    asked = Asked(unreadable)
    told = report("key.passphrase-missing")
    (question,) = asked.questions(told)
    asked.give(question, Secret.of(TYPED))
    mended = asked.tunnel(told.tunnel)
    for hop in mended.hops:
        assert hop.passphrase is not None
        assert asked(hop.passphrase).reveal().decode() == TYPED
        assert TYPED not in str(hop)
    assert asked.tunnel(ORDERS) == ORDERS
    with pytest.raises(SecretUnavailable):
        asked(Reference("env", "NOT_THERE"))


def test_a_typed_password_goes_to_the_database() -> None:
    asked = Asked(unreadable)
    (question,) = asked.questions(report("db.password-missing", "database"))
    asked.give(question, Secret.of(TYPED))
    database = asked.tunnel(ORDERS).database
    assert database is not None
    assert database.password is not None
    assert asked(database.password).reveal().decode() == TYPED


def test_only_what_was_typed_wrong_is_asked_for_again() -> None:
    asked = Asked(unreadable)
    wrong = report("key.passphrase-wrong")
    assert asked.questions(wrong) == ()
    (question,) = asked.questions(report("key.passphrase-missing"))
    asked.give(question, Secret.of(TYPED))
    assert [each.name for each in asked.questions(wrong)] == [question.name]


@pytest.mark.parametrize("size", SIZES)
async def test_the_question_shows_what_it_is_for_and_nothing_of_the_answer(assert_screen, size) -> None:
    prompt = SecretPrompt("passphrase for file:~/.ssh/id", "The key is encrypted \x1b]0;PWNED\x07 [/bold].")
    async with shown(prompt, size) as show:
        await show.type(TYPED)
        assert TYPED not in show.text
        assert_screen(show.app, "prompt")
        await show.press("enter")
        (secret,) = show.app.ended_with
        assert secret.reveal().decode() == TYPED
        assert TYPED not in repr(secret)


@pytest.mark.parametrize("key", ["enter", "escape"])
async def test_no_answer_is_none(key: str) -> None:
    async with shown(SecretPrompt("a", "b")) as show:
        await show.press(key)
        assert show.app.ended_with == [None]
