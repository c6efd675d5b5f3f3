"""A ticket shows what a server said, and does not do what it says."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from tests.report.samples import STARTED
from tests.report.scenarios import SCENARIOS
from tunneldoctor.model import Fleet, Report
from tunneldoctor.report import render_markdown, render_markdown_fleet
from tunneldoctor.report.markdown import code_span, escaped, fenced


def outside_of_code(markdown: str) -> str:
    """What is left for the parser to act on when blocks and spans of code are taken out (CommonMark §4.5, §6.1)."""
    without_blocks, fence = [], ""
    for line in markdown.splitlines():
        found = re.match(r"\s*(`{3,})", line)
        if not fence and found:
            fence = found[1]
        elif fence and line.strip() and not line.strip().strip("`") and len(line.strip()) >= len(fence):
            fence = ""
        elif not fence:
            without_blocks.append(line)
    assert not fence, "a block that never ends"
    return re.sub(r"(?<![\\`])(`+)(?!`).*?(?<!`)\1(?!`)", "", "\n".join(without_blocks))


def test_server_text_cannot_become_markup() -> None:
    left = outside_of_code(render_markdown(SCENARIOS["hostile"]()))
    assert not re.search(r"<(?!!-- -->)", left.replace("<1 ms", ""))
    assert not re.search(r"(?<!\\)\[click", left)
    assert "https://" not in left
    assert "@everyone" not in left
    assert not re.search(r"^# ", left, re.MULTILINE)


def test_a_fence_is_longer_than_any_run_of_backticks_inside() -> None:
    assert fenced("a ```` b", "text") == ["`````text", "a ```` b", "`````"]
    assert fenced("plain", "sh", "  ") == ["  ```sh", "  plain", "  ```"]


@pytest.mark.parametrize(
    ("text", "span"), [("plain", "`plain`"), ("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("a|b", "`a\\|b`"), ("", "")]
)
def test_a_span_of_code_holds_any_text(text: str, span: str) -> None:
    assert code_span(text) == span


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("*bold* _it_ ~no~", "\\*bold\\* \\_it\\_ \\~no\\~"),
        ("<b>&amp;", "&lt;b\\>&amp;amp;"),
        ("1. first", "1\\. first"),
        ("- item", "\\- item"),
        ("=====", "\\====="),
        ("a - b 1.5", "a - b 1.5"),
        ("https://evil.example www.evil.example", "https<!-- -->://evil.example www<!-- -->.evil.example"),
        ("tunnel@bastion", "tunnel@bastion"),
        ("ask @everyone", "ask @<!-- -->everyone"),
        ("two\nlines", "two\\\\nlines"),
    ],
)
def test_running_text_is_left_alone(text: str, safe: str) -> None:
    assert escaped(text) == safe


def test_every_row_of_a_table_has_as_many_cells_as_its_head(report: Report) -> None:
    width = 0
    for line in render_markdown(report).splitlines():
        if not line.startswith("| "):
            width = 0
            continue
        cells = len(re.split(r"(?<!\\)\|", line))
        width = width or cells
        assert cells == width, line


def test_the_ticket_says_what_to_do_and_where() -> None:
    text = render_markdown(SCENARIOS["symptom"]())
    assert text.startswith("## orders: broken\n")
    assert "1. Add the public key to the account's authorized\\_keys (here)\n\n   ```sh\n   ssh-keygen -y" in text
    assert "- not `auth.algorithm-not-accepted`: server-sig-algs of OpenSSH 9.7 lists ssh-ed25519" in text
    assert "### Also, on database: The file that sslrootcert names is not there (`config.secret-not-found`)" in text


def test_an_interrupted_run_is_marked() -> None:
    assert render_markdown(SCENARIOS["interrupted"]()).startswith("## orders: inconclusive (incomplete: interrupted)\n")


def test_a_fleet_begins_with_its_tunnels() -> None:
    broken = SCENARIOS["broken"]()
    billing = replace(SCENARIOS["healthy"](), tunnel=replace(broken.tunnel, name="billing"))
    fleet = Fleet.of([billing, broken], STARTED, STARTED + timedelta(seconds=2))
    text = render_markdown_fleet(fleet)
    assert text.startswith("# 2 tunnels: broken\n")
    assert "| billing | healthy |  |\n| orders | broken | `forward.refused` |\n" in text
    assert "## billing: healthy" in text
