"""Page, code and check held together: none of the three can be forgotten."""

import re
import subprocess
from collections.abc import Iterator

import pytest

from tunneldoctor.catalog import Catalog, Page, command, tunnel_values
from tunneldoctor.catalog.page import HEADINGS
from tunneldoctor.model import Address, Check, Database, Hop, Layer, Provider, Reference, Tunnel
from tunneldoctor.pasted.scan import anchors
from tunneldoctor_checks import PACKAGE

CATALOG = Catalog.of([PACKAGE])
CODE = re.compile(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*")
#: Every value that a page may name without a parameter of its own.
TUNNEL = Tunnel(
    "orders",
    (Hop("bastion", "bastion.example.com", 22, "tunnel", (Reference("file", "/home/me/.ssh/orders"),)),),
    Address("db.internal", 5432),
    Database("postgresql", "db.internal", 5432, "app", "orders"),
    local_port=15432,
    provider=Provider.AWS,
)
VALUES = tunnel_values(TUNNEL, "bastion", {"egress_address": "198.51.100.7"})


def reported() -> dict[str, list[Check]]:
    """Each code that some check may report, and those checks."""
    codes: dict[str, list[Check]] = {}
    for check in PACKAGE.checks:
        for code in check.codes:
            codes.setdefault(code, []).append(check)
    return codes


def named_by_pages() -> set[str]:
    """Each code that some symptom's page lists as a cause, or some page as what it may turn out to be."""
    return {code for page in CATALOG for code in page.causes + page.may_be}


def commands(page: Page) -> Iterator[str]:
    steps = [*page.remedy, *(each.step for each in page.next_steps), *([page.verify] if page.verify else [])]
    return (step.command for step in steps if step.command)


@pytest.mark.parametrize("check", PACKAGE.checks, ids=lambda check: check.id)
def test_a_check_is_well_formed(check: Check) -> None:
    assert check.id.partition(".")[0] == check.layer
    assert check.title
    assert check.title[0].islower() or check.title.split()[0].isupper()
    assert not re.match(r"(check|verify|ensure)", check.title), "the title says the healthy state"
    assert set(check.codes) == {code for code in check.codes if CODE.fullmatch(code)}
    assert all(code.partition(".")[0] in set(Layer) for code in check.codes)
    assert not set(check.needs) & set(check.wants)


def test_every_code_that_a_check_may_report_has_its_page() -> None:
    assert sorted(set(reported()) - set(CATALOG.codes())) == []


def test_every_cause_that_a_page_names_has_a_page() -> None:
    assert sorted(named_by_pages() - set(CATALOG.codes())) == []


def read_in_texts() -> set[str]:
    """Each code that other programs' output shows (``tunneldoctor read``)."""
    return {page.code for page in CATALOG if page.signs}


def test_every_page_belongs_to_a_check_to_a_symptom_or_to_a_text() -> None:
    assert sorted(set(CATALOG.codes()) - set(reported()) - named_by_pages() - read_in_texts()) == []


def test_a_sign_is_found_fast_and_says_why_it_speaks_against_a_code() -> None:
    for page in CATALOG:
        signs = [*page.signs, *page.counter_signs]
        patterns = [each for sign in signs for each in (sign.line, sign.beside, sign.unless) if each]
        for pattern in patterns:
            assert min(map(len, anchors(pattern))) >= 4, f"{page.code}: no word that {pattern} must hold"
            assert not re.match(r"(\(\?P<\w+>|\(\?:|\()*(\\[SwWD]|\[|\.)[*+]?", pattern), f"{pattern} begins anywhere"
        assert all(sign.because for sign in page.counter_signs)


@pytest.mark.parametrize("code", CATALOG.codes())
def test_a_page_is_complete(code: str) -> None:
    page = CATALOG.page(code)
    assert tuple(re.findall(r"^## (.+)$", page.body, re.MULTILINE)) == HEADINGS
    sections = re.split(r"^## .+$", page.body, flags=re.MULTILINE)[1:]
    assert all(len(section.split()) >= 5 for section in sections), "each section says something"
    assert page.title
    assert page.summary
    assert not page.summary.count("\n")
    assert page.code not in page.causes, "a symptom is never its own cause"
    assert page.remedy or page.is_symptom, "a page says what to do"


@pytest.mark.parametrize("code", [page.code for page in CATALOG if page.is_symptom])
def test_a_symptom_says_how_to_tell_its_causes_apart(code: str) -> None:
    page = CATALOG.page(code)
    assert page.next_steps
    for look in page.next_steps:
        assert look.splits <= set(page.causes), f"{look.splits - set(page.causes)} are no causes of {code}"
    causes_of_causes = {cause for each in page.causes for cause in CATALOG.page(each).causes}
    assert not causes_of_causes, "a cause is a root cause"


@pytest.mark.parametrize(
    ("look", "symptoms"),
    [("auth.look", ["auth.publickey-refused"]), ("forward.look", ["forward.prohibited", "forward.connect-failed"])],
)
def test_a_look_from_the_bastion_may_find_every_cause_of_its_symptoms(look: str, symptoms: list[str]) -> None:
    (check,) = (check for check in PACKAGE.checks if check.id == look)
    assert {cause for symptom in symptoms for cause in CATALOG.page(symptom).causes} <= set(check.codes)


@pytest.mark.parametrize("code", CATALOG.codes())
def test_a_pages_commands_are_valid_shell(code: str) -> None:
    for template in commands(CATALOG.page(code)):
        filled = command(template, VALUES)
        checked = subprocess.run(["bash", "-n"], input=filled, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, f"{filled}\n{checked.stderr}"


#: Fields whose values are numbers or numeric addresses, which can't break out of quotes.
NUMBERS = {"ip", "port", "bastion_port", "remote_port"}


@pytest.mark.parametrize("code", CATALOG.codes())
def test_no_field_stands_between_quotes(code: str) -> None:
    """A value brings its own quotes along; between a page's quotes it would end them, and be run."""
    for template in commands(CATALOG.page(code)):
        between = set(re.findall(r"\{([a-z_]+)\}", "".join(quoted(template)))) - NUMBERS
        assert not between, f"{template}: {between}"


def quoted(line: str) -> Iterator[str]:
    """What stands between quotes in a line of shell; a command substitution in double quotes begins anew."""
    pattern = r"'[^']*'|\"(?:[^\"$\\]|\\.|\$(?!\()|\$\((?:[^()]|\([^()]*\))*\))*\""
    for text in re.findall(pattern, line):
        if text[0] == "'":
            yield text
        else:
            yield re.sub(r"\$\((?:[^()]|\([^()]*\))*\)", "", text)
            for inner in re.findall(r"\$\(((?:[^()]|\([^()]*\))*)\)", text):
                yield from quoted(inner)


def test_what_stands_between_quotes_is_found() -> None:
    assert list(quoted("a {x} 'b {y}' \"c {z}\"")) == ["'b {y}'", '"c {z}"']
    assert list(quoted('"$(getent passwd {user} | cut -d: -f6)"/x')) == ['""']


FORBIDDEN = (
    "StrictHostKeyChecking=no", "StrictHostKeyChecking no", "UserKnownHostsFile=/dev/null", "chmod 777", "chmod -R 777",
    "PermitRootLogin yes", "AllowUsers *", "StrictModes no", "PermitOpen any", "setenforce 0", "0.0.0.0/0:22",
    "sslmode=disable", "nft flush",
)  # fmt: skip


@pytest.mark.parametrize("code", CATALOG.codes())
def test_no_command_heals_by_taking_protection_away(code: str) -> None:
    for template in commands(CATALOG.page(code)):
        assert not [words for words in FORBIDDEN if words in template]
