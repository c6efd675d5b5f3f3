"""``runbook``: the pages as one document, in general and for a tunnel, by symptom and by layer."""

import re
import subprocess
import sys
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest

CONFIGURATION = """\
[tunnels.orders]
ssh_url = "ssh://tunnel@bastion.example.com:2222"
database = "postgresql://app@db.internal.corp/orders"
provider = "aws"
[tunnels.hostile]
bastion_host = "bastion.example.com"
bastion_username = "</script><script>alert('*x*')</script>[y](https://evil.example)"
"""
SYMPTOMS = [
    "Connection timed out to the bastion",
    "Authentication failed",
    "The tunnel opens, but the database still fails",
    "Intermittent drops",
    "Agent-specific failures: it works elsewhere, and not from the agent",
]
#: Elements of HTML that have no end (HTML standard, 13.1.2).
VOID = {"meta", "input", "br", "hr"}


class Page(HTMLParser):
    """What a browser makes of the page: its elements with their attributes, and whether each was closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.headings: list[tuple[int, str]] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if any(re.fullmatch("h[1-6]", tag) for tag in self._open):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)

    def values(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name))]


@pytest.fixture(autouse=True)
def configuration(tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(CONFIGURATION)


@pytest.fixture(scope="module")
def general() -> str:
    """The whole in Markdown, for no tunnel."""
    return run("runbook")


@pytest.fixture(scope="module")
def general_html() -> str:
    return run("runbook", "--format", "html")


def run(*arguments: str, cwd: Path | None = None) -> str:
    """What the program prints where there is no configuration, or with that of *cwd*."""
    command = [sys.executable, "-m", "tunneldoctor", *arguments]
    return subprocess.run(command, cwd=cwd or "/", capture_output=True, text=True, check=True, timeout=60).stdout


def section(document: str, title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    level, rest = re.search(rf"^(#+) {re.escape(title)}\n(.*)", document, re.MULTILINE | re.DOTALL).groups()
    return re.split(rf"^#{{1,{len(level)}}} ", rest, flags=re.MULTILINE)[0]


def test_it_goes_by_symptom_first_and_by_layer_then(general: str) -> None:
    document = general
    places = [document.index(f"\n### {title}\n") for title in SYMPTOMS]
    assert places == sorted(places)
    assert places[-1] < document.index("\n## By layer\n") < document.index("\n#### tcp.refused\n")


@pytest.mark.parametrize("symptom", SYMPTOMS)
def test_each_symptom_begins_with_what_to_look_at_and_leads_to_pages(general: str, symptom: str) -> None:
    text = section(general, symptom)
    looks, causes = section(text, "Look at this first"), section(text, "It may be")
    assert "tunneldoctor check {this_tunnel}" in looks
    assert looks.count("\n- ") > 1
    codes = re.findall(r"\]\(#([a-z]+\.[a-z0-9-]+)\)", looks + causes)
    assert len(set(codes)) > 10
    assert all(f"\n#### {code}\n" in general for code in codes)


def test_a_look_is_shown_once_and_what_needs_no_other_machine_comes_first(general: str) -> None:
    order = ["here", "on the bastion", "on the database host", "in the cloud"]
    for symptom in SYMPTOMS:
        looks = section(section(general, symptom), "Look at this first")
        commands = re.findall(r"^      (\S.*)$", looks, re.MULTILINE)
        assert len(commands) == len(set(commands))
        places = re.findall(rf"^- .*\(({'|'.join(order)})[,)]", looks, re.MULTILINE)
        assert len(places) > 1
        assert places == sorted(places, key=order.index)


def test_a_tunnels_values_and_providers_commands_are_in_it(program, general: str) -> None:
    document = program("runbook", "orders").stdout
    assert document.startswith("# Runbook for orders\n")
    assert "nc -vz -w5 bastion.example.com 2222" in document
    assert "aws ec2" in document
    assert "gcloud" not in document
    assert "sudo mysql" not in document
    assert "nc -vz -w5 {bastion_host} {bastion_port}" in general
    assert "aws ec2" in general
    assert "gcloud" in general


def test_a_provider_may_be_named_with_and_without_a_tunnel(program) -> None:
    for words in ([], ["orders"]):
        document = program("runbook", *words, "--provider", "gcp").stdout
        assert "gcloud" in document
        assert "aws ec2" not in document


def test_codes_are_shown_with_what_they_may_be_caused_by_and_nothing_else(program) -> None:
    document = program("runbook", "forward.connect-failed", "DB.wrong-service", "orders").stdout
    codes = re.findall(r"^#### (\S+)$", document, re.MULTILINE)
    assert sorted(codes) == [
        "db.wrong-service", "forward.connect-failed", "forward.name-not-resolved", "forward.no-route",
        "forward.refused", "forward.timeout",
    ]  # fmt: skip
    assert "By symptom" not in document


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["tcp.refusd"], "no such code: tcp.refusd (did you mean tcp.refused?)"),
        (["ordres"], "is called ordres (did you mean orders?)"),
        (["orders", "tcp.refusd"], "orders and tcp.refusd are no codes (did you mean tcp.refused?)"),
        (["--provider", "ibm"], "--provider must be one of aws, azure, gcp, onprem, not ibm"),
        (["-o", "no/such/folder.md"], "can't write no/such/folder.md: No such file or directory"),
        (["-o", "tunneldoctor.toml/"], "can't write"),
        (["-o", "x" * 300], "can't write"),
    ],
)
def test_what_can_not_be_written_is_told_in_a_line(program, arguments: list[str], told: str) -> None:
    done = program("runbook", *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("tunneldoctor: error: ")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_folder_gets_a_file_for_each_page_and_every_link_in_it_leads_somewhere(program, tmp_path: Path) -> None:
    done = program("runbook", "-o", "book/")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "tunneldoctor: written: book/index.md\n")
    files = {str(path.relative_to(tmp_path / "book")): path for path in (tmp_path / "book").rglob("*.md")}
    assert {"index.md", "tcp/refused.md", "idle/closed.md"} <= set(files)
    for path in files.values():
        for target in re.findall(r"\]\(([^)#]+\.md)\)", path.read_text("utf-8")):
            assert (path.parent / target).is_file(), f"{path}: {target}"
    assert not re.search(r"\]\(#[a-z]+\.", "".join(path.read_text("utf-8") for path in files.values()))


def test_a_folder_that_is_there_gets_the_one_page_of_html(program, tmp_path: Path) -> None:
    (tmp_path / "book").mkdir()
    assert program("runbook", "--format", "html", "-o", "book").stderr == "tunneldoctor: written: book/runbook.html\n"
    assert (tmp_path / "book" / "runbook.html").read_text().startswith("<!doctype html>")


def test_the_same_runbook_gives_the_same_bytes(program, general: str, general_html: str) -> None:
    assert program("runbook", PYTHONHASHSEED="7").stdout == general
    assert program("runbook", "--format", "html", PYTHONHASHSEED="8").stdout == general_html


def test_the_page_needs_nothing_but_itself(general_html: str) -> None:
    page = Page(general_html)
    assert len(general_html.encode()) < 1_500_000
    assert not {tag for tag, _ in page.elements} & {
        "link",
        "img",
        "iframe",
        "object",
        "embed",
        "base",
        "video",
        "audio",
    }
    assert page.values("src") == page.values("style") == page.values("srcset") == []
    assert not re.search(r"@import|url\(", general_html.partition("</style>")[0])
    policy = next(each["content"] for tag, each in page.elements if tag == "meta" and "http-equiv" in each)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy


def test_the_page_can_be_read_without_eyes_and_without_a_mouse(general_html: str) -> None:
    page = Page(general_html)
    assert page.elements[0] == ("html", {"lang": "en"})
    assert {"header", "nav", "main", "footer"} <= {tag for tag, _ in page.elements}
    levels = [level for level, _ in page.headings]
    assert levels.count(1) == 1
    in_main = levels[levels.index(3) - 1 :]
    assert all(below - above <= 1 for above, below in pairwise(in_main)), "no level is skipped"
    assert all(text.strip() for _, text in page.headings)
    assert [each["for"] for tag, each in page.elements if tag == "label"] == ["search"]


def test_every_link_of_the_page_leads_to_something_in_it(general_html: str) -> None:
    page = Page(general_html)
    anchors = page.values("id")
    assert len(anchors) == len(set(anchors))
    local = [value[1:] for value in page.values("href") if value.startswith("#")]
    assert len(local) > 500
    assert set(local) <= set(anchors)
    assert {"tcp.refused", "layer-tcp", "by-symptom", "authentication-failed"} <= set(anchors)


def test_every_code_is_in_the_contents_and_has_its_article(general_html: str, program) -> None:
    page = Page(general_html)
    articles = {each.get("id") for tag, each in page.elements if tag == "article"}
    codes = [line.split()[0] for line in program("list", "codes").stdout.splitlines()]
    assert set(codes) <= articles
    assert len(articles) == len(codes) + len(SYMPTOMS)


def test_hostile_values_and_notes_stay_text(program, tmp_path: Path) -> None:
    (tmp_path / "tunneldoctor.toml").write_text(f'notes = "notes"\n{CONFIGURATION}')
    (tmp_path / "notes" / "tcp").mkdir(parents=True)
    (tmp_path / "notes" / "tcp" / "refused.md").write_text(
        "<img src=//evil.example/x onerror=alert(1)> ![x](https://evil.example/x.png) [j](javascript:alert(1))\n"
        "[dashboard](https://grafana.example/d/1) \x1b[2J\n```\nnever closed </main>\n"
    )
    done = program("runbook", "hostile", "tcp.refused", "auth.unknown-user", "-o", "book.html")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    text = (tmp_path / "book.html").read_text("utf-8")
    page = Page(text)
    assert [tag for tag, _ in page.elements].count("script") == 1
    assert "img" not in {tag for tag, _ in page.elements}
    assert not any(each.startswith("javascript:") for each in page.values("href"))
    assert "https://grafana.example/d/1" in page.values("href")
    assert "\\x1b[2J" in text
    assert "has no account &lt;/script&gt;&lt;script&gt;alert('*x*')&lt;/script&gt;[y](" in text
    assert [tag for tag, _ in page.elements].count("main") == 1


def test_a_long_script_is_folded_away_and_none_stands_by_a_symptom(general_html: str) -> None:
    text = general_html
    blocks = re.findall(r"(<details><summary>\d+ lines</summary>)?<pre><code>(.*?)</code></pre>", text, re.DOTALL)
    assert all(bool(folded) == (block.count("\n") >= 15) for folded, block in blocks)
    assert any(folded for folded, _ in blocks)
    by_symptom = text[text.index('<section id="by-symptom">') : text.index('<section id="by-layer">')]
    assert "<details>" not in by_symptom


def test_every_look_of_a_symptom_is_a_line_for_a_shell(general: str) -> None:
    looks = "\n".join(section(general, symptom) for symptom in SYMPTOMS)
    commands = re.sub(r"\{(\w+)\}", r"\1", "\n".join(re.findall(r"^      (\S.*)$", looks, re.MULTILINE)))
    checked = subprocess.run(["bash", "-n"], input=commands, capture_output=True, text=True, check=False)
    assert len(commands.splitlines()) > 20
    assert checked.returncode == 0, checked.stderr


def test_a_companys_pages_find_their_place_by_layer_and_its_symptoms_theirs(company, program, tmp_path: Path) -> None:
    company("return Outcome()")
    (tmp_path / "site" / "pages" / "runbook.toml").write_text(
        '[[symptom]]\nname = "grumbling"\ntitle = "The company grumbles"\nsays = "It does."\n'
        'codes = ["config.company-fault"]\n'
    )
    document = program("runbook").stdout
    assert "\n#### config.company-fault\n" in document
    assert "[config.company-fault](#config.company-fault)" in section(document, "The company grumbles")


def test_a_file_of_symptoms_that_can_not_be_used_is_named(company, program, tmp_path: Path) -> None:
    company("return Outcome()")
    (tmp_path / "site" / "pages" / "runbook.toml").write_text('[[symptom]]\nname = "x"\n')
    done = program("runbook")
    assert (done.returncode, done.stdout) == (3, "")
    assert "runbook.toml: KeyError: 'title'" in done.stderr


def test_the_built_in_symptoms_name_pages_that_are_there(program) -> None:
    codes = {line.split()[0] for line in program("list", "codes").stdout.splitlines()}
    from tunneldoctor.catalog.symptoms import read_symptoms

    for symptom in read_symptoms(Path("checks/tunneldoctor_checks")):
        answered = {code for look in symptom.first for answer in look.answers for code in answer.codes}
        assert set(symptom.codes) | answered <= codes, symptom.name
        assert len(set(symptom.codes)) == len(symptom.codes)
