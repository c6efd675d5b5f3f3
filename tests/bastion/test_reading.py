"""What comes back is read whatever a mail program made of it, and whoever wrote it."""

from __future__ import annotations

import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.bastion.looks import named, output
from tunneldoctor.bastion.judge import JUDGES
from tunneldoctor.bastion.reading import LARGEST, NotALook, read
from tunneldoctor.bastion.subject import Subject

TEXT = output(keys="1 other 256 SHA256:x somebody (RSA) options: ")


def verdict_of(text: str | bytes) -> list[str]:
    look = read(text)
    subject = Subject.of(look.values())
    return named(JUDGES[subject.symptom](look, subject))


def wrapped(text: str) -> str:
    lines = (
        textwrap.wrap(line, 76, break_long_words=False, break_on_hyphens=False) or [""] for line in text.splitlines()
    )
    return "\n".join(line for each in lines for line in each)


@pytest.mark.parametrize(
    "mangled",
    [
        TEXT,
        TEXT.replace("\n", "\r\n"),
        textwrap.indent(TEXT, "    "),
        textwrap.indent(TEXT, "> "),
        textwrap.indent(TEXT, ">> > "),
        "Hello,\nhere it is:\n\n" + TEXT + "\nRegards\n| not part of it\n",
        TEXT.replace(" ", "\u00a0"),
        TEXT.encode("utf-16"),
        b"\xef\xbb\xbf" + TEXT.encode(),
        wrapped(TEXT),
        textwrap.indent(wrapped(TEXT), "> "),
        "```\n" + TEXT + "```\n",
    ],
    ids=range(12),
)
def test_what_mail_and_terminals_do_to_it_does_no_harm(mangled: str | bytes) -> None:
    assert verdict_of(mangled) == ["auth.key-not-authorized"]


def test_half_an_output_is_read_as_far_as_it_goes() -> None:
    look = read(TEXT[: TEXT.index("=== selinux") - 10])
    assert not look.complete
    assert (
        look.section("keys", "/home/tunnel/.ssh/authorized_keys2") is None
    )  # it was cut off: what it says may be less
    assert look.section("keys", "/home/tunnel/.ssh/authorized_keys") is not None


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b" \n\r\n", "empty"),
        (b"\x7fELF\x02\x00\x00", "not text"),
        (b"Dear all,\nthe bastion is down again.\n", "is missing"),
        (b"| a\n=== self: id\n| root\n", "is missing"),
        (b"=" * (LARGEST + 1), "KiB"),
    ],
)
def test_what_is_something_else_is_said_to_be(data: bytes, words: str) -> None:
    with pytest.raises(NotALook, match=words):
        read(data)


@pytest.mark.parametrize(
    "about",
    [{"port": "22; rm -rf /"}, {"port": "65536"}, {"user": ""}, {"symptom": "{symptom}"}, {"database_port": "x"}],
)
def test_an_output_about_nothing_in_particular_is_refused(about: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"it does not say|no numbers"):
        Subject.of(read(output(about)).values())


MARKS = st.sampled_from(
    ["=== about: x", "=== sshd: y", "=== keys /a: z", "=== end", "| status 0", "| port 22", "> ", "\0"]
)
ANY_LINE = st.one_of(MARKS, st.text(max_size=60), st.sampled_from(TEXT.splitlines()))


@given(st.lists(ANY_LINE, max_size=60))
def test_no_text_makes_the_reader_or_a_judge_fail(lines: list[str]) -> None:
    head = "\n".join(TEXT.splitlines()[:12])
    for symptom in JUDGES:
        text = "\n".join([head.replace("auth.publickey-refused", symptom), *lines])
        try:
            look = read(text)
            subject = Subject.of(look.values())
        except ValueError:
            continue
        JUDGES[symptom](look, subject)


@given(st.binary(max_size=300))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    try:
        read(b"=== about: x\n| user a\n" + data)
    except NotALook as error:
        assert str(error)
