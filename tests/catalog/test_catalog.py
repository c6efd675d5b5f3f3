"""Pages: read, refused with a reason, filled with values."""

from importlib.resources import files
from pathlib import Path

import pytest

from tunneldoctor.catalog import Catalog, Notes, PageError, command, text, tunnel_values
from tunneldoctor.model import Address, Database, Hop, Place, Provider, Reference, Retry, Severity, Tunnel

PAGE = """---
title: "{bastion_host} refuses connections"
summary: "Nothing listens on {address}."
severity: warning
retry: while-waiting
remedy:
  - text: "Start sshd"
    command: "sudo systemctl start ssh"
    run_on: bastion
  - text: "Open the port"
    command: "aws ec2 authorize"
    run_on: cloud
    provider: aws
verify:
  text: "It answers"
  command: "nc -vz {bastion_host} {bastion_port}"
---
## What it means
Nobody listens.
"""


def catalog(folder: Path, page: str, code: str = "tcp/refused") -> Catalog:
    path = folder / f"{code}.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(page)
    return Catalog([folder])


def test_a_page_is_found_by_its_code_and_read_whole(tmp_path: Path) -> None:
    page = catalog(tmp_path, PAGE).page("tcp.refused")
    assert (page.code, page.severity, page.retry) == ("tcp.refused", Severity.WARNING, Retry.WHILE_WAITING)
    assert [(step.run_on, step.provider) for step in page.remedy] == [
        (Place.BASTION, None),
        (Place.CLOUD, Provider.AWS),
    ]
    assert page.verify is not None
    assert page.verify.command == "nc -vz {bastion_host} {bastion_port}"
    assert page.body.startswith("## What it means")


@pytest.mark.parametrize(
    ("page", "why"),
    [
        ("no front matter", "between two lines of ---"),
        ("---\ntitle: [\n---\n", "not YAML"),
        ("---\ntitle: x\n---\n", "summary"),
        ("---\ntitle: x\nsummary: y\nseverty: error\n---\n", "severty"),
        ("---\ntitle: x\nsummary: y\nremedy: [{text: a, comand: b}]\n---\n", "comand"),
        ("---\ntitle: x\nsummary: y\nseverity: fatal\n---\n", "fatal"),
    ],
)
def test_a_page_that_cannot_be_used_is_refused_with_file_and_reason(tmp_path: Path, page: str, why: str) -> None:
    with pytest.raises(PageError, match=why) as refused:
        catalog(tmp_path, page).page("tcp.refused")
    assert "refused.md" in str(refused.value)


@pytest.mark.parametrize("code", ["tcp.missing", "../etc.passwd", "tcp/refused", "", ".", "tcp.", "tcp.../x"])
def test_what_is_no_code_finds_no_page(tmp_path: Path, code: str) -> None:
    assert catalog(tmp_path, PAGE).find(code) is None


def test_a_companys_page_of_the_same_code_gives_way_to_the_first_folder(tmp_path: Path) -> None:
    for name in ("builtin", "company"):
        (tmp_path / name).mkdir()
        catalog(tmp_path / name, PAGE.replace("Nobody listens", name))
    pages = Catalog([tmp_path / "builtin", tmp_path / "company"])
    assert "builtin" in pages.page("tcp.refused").body
    assert pages.codes() == ["tcp.refused"]


def test_values_are_quoted_in_commands_and_plain_in_text() -> None:
    values = {"bastion_host": "evil; rm -rf ~", "bastion_port": 22}
    assert command("nc {bastion_host} {bastion_port}", values) == "nc 'evil; rm -rf ~' 22"
    assert text("port {bastion_port} of {bastion_host}", values) == "port 22 of evil; rm -rf ~"


def test_a_field_without_a_value_keeps_its_name_and_other_braces_are_left_alone() -> None:
    template = "ip {egress_address} awk '{print $1}' ${HOME} {{port}}"
    assert command(template, {}) == "ip {egress_address} awk '{print $1}' ${HOME} {port}"


def test_the_home_folder_is_left_for_the_shell_to_expand() -> None:
    assert command("chmod 600 {private_key}", {"private_key": "~/my keys/k"}) == "chmod 600 ~/'my keys/k'"


def test_control_characters_in_a_value_are_made_visible() -> None:
    assert text("{name}", {"name": "a\x1b[2Jb"}) == "a\\x1b[2Jb"


def test_advice_about_a_jump_host_names_that_host() -> None:
    key = Reference("file", "~/.ssh/k")
    tunnel = Tunnel(
        "orders",
        (Hop("via-1", "edge", 2222, "jump", (key,)), Hop("bastion", "inner", username="tunnel")),
        Address("db", 5432),
        Database("postgresql", "db", 5432, "app", "orders"),
    )
    first, last = tunnel_values(tunnel, "via-1", {}), tunnel_values(tunnel, "database", {"egress_address": "192.0.2.1"})
    assert (first["bastion_host"], first["bastion_port"], first["private_key"]) == ("edge", 2222, "~/.ssh/k")
    assert (last["bastion_host"], last["database_user"], last["egress_address"]) == ("inner", "app", "192.0.2.1")
    assert "egress_address" not in first


SCRIPT = """next_steps:
  - text: "Run this there"
    command: |
      (user={bastion_username}
      {script}
      )
    script: PACKAGE/look.sh
    run_on: bastion
    splits: [tcp.reset]
verify:"""


def test_a_script_is_put_into_the_command_as_it_is(tmp_path: Path) -> None:
    page = catalog(tmp_path, PAGE.replace("verify:", SCRIPT.replace("PACKAGE", "tunneldoctor.bastion"))).page(
        "tcp.refused"
    )
    filled = command(page.next_steps[0].step.command or "", {"bastion_username": "it's"})
    script = files("tunneldoctor.bastion").joinpath("look.sh").read_text("utf-8").strip()
    assert filled == f"(user='it'\"'\"'s'\n{script}\n)"


def test_a_script_that_is_not_there_makes_the_page_unusable(tmp_path: Path) -> None:
    broken = catalog(tmp_path, PAGE.replace("verify:", SCRIPT.replace("PACKAGE", "no_such_package")))
    with pytest.raises(PageError, match=r"no script no_such_package/look.sh"):
        broken.page("tcp.refused")


def test_further_folders_are_asked_for_once_and_only_where_the_first_have_no_such_page(tmp_path: Path) -> None:
    asked: list[int] = []
    near, far = tmp_path / "near", tmp_path / "far"
    for folder in (near, far):
        folder.mkdir()
    catalog(near, PAGE)
    catalog(far, PAGE, "tcp/of-the-company")

    def further() -> list[Path]:
        asked.append(1)
        return [near, far]

    pages = Catalog([near], further=further)
    assert pages.page("tcp.refused").path.is_relative_to(near)
    assert pages.has("tcp.refused")
    assert asked == []
    assert pages.page("tcp.of-the-company").path.is_relative_to(far)
    assert pages.codes() == ["tcp.of-the-company", "tcp.refused"]
    assert asked == [1]


def test_a_companys_words_come_with_the_page(tmp_path: Path) -> None:
    catalog(tmp_path, PAGE)
    words = tmp_path / "words"
    (words / "tcp").mkdir(parents=True)
    (words / "tcp" / "refused.md").write_text("page us\n\ttab\n")
    assert Catalog([tmp_path], Notes(words)).page("tcp.refused").notes == "page us\n    tab"
    assert Catalog([tmp_path]).page("tcp.refused").notes is None
    (words / "tcp" / "refused.md").write_text(" \n\n")
    assert Catalog([tmp_path], Notes(words)).page("tcp.refused").notes is None
