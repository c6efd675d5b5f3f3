import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tunneldoctor.config.errors import BadUrl
from tunneldoctor.config.ssh_url import SshUrl, parse


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("ssh://bastion", SshUrl("bastion")),
        ("SSH://tunnel@bastion.example.com:2222", SshUrl("bastion.example.com", 2222, "tunnel")),
        ("ssh://tunnel@bastion/", SshUrl("bastion", None, "tunnel")),
        ("ssh://tunnel@[2001:db8::5]:22", SshUrl("2001:db8::5", 22, "tunnel")),
        ("ssh://[::1]", SshUrl("::1")),
        ("ssh://[fe80::1%25eth0]:22", SshUrl("fe80::1%eth0", 22)),
        ("ssh://[fe80::1%eth0]", SshUrl("fe80::1%eth0")),
        ("ssh://me%40corp.example@bastion", SshUrl("bastion", None, "me@corp.example")),
        ("ssh://tunnel:p%40ss%2Fw@bastion", SshUrl("bastion", None, "tunnel", "p@ss/w")),
        ("ssh://bastion:", SshUrl("bastion")),
        ("ssh://@bastion", SshUrl("bastion")),
    ],
)
def test_what_a_url_says(text: str, url: SshUrl) -> None:
    assert parse(text) == url


@pytest.mark.parametrize(
    ("text", "part", "words"),
    [
        ("bastion.example.com", "scheme", "does not start with ssh://"),
        ("http://bastion", "scheme", "http://"),
        ("ssh:/bastion", "scheme", "does not start"),
        ("ssh://", "host", "no host"),
        ("ssh://tunnel@", "host", "no host"),
        ("ssh://tunnel@:22", "host", "no host"),
        ("ssh://me@corp.example@bastion", "user", "two @"),
        ("ssh://bastion:99999", "port", "99999 is not a port"),
        ("ssh://bastion:0", "port", "0 is not a port"),
        ("ssh://u@bastion:22x", "port", "22x is not a port"),
        ("ssh://bastion:22/home", "path", "something follows the host"),
        ("ssh://bastion?x=1", "path", "something follows the host"),
        ("ssh://tunnel@[2001:db8::5:22", "host", "brackets"),
        ("ssh://tunnel@2001:db8::5:22:x", "host", "several colons"),
        ("ssh://tu%nel@bastion", "user", "%"),
        ("ssh://tunnel:a/b@bastion", "password", "before the @"),
    ],
)
def test_what_is_wrong_is_named_by_its_part(text: str, part: str, words: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse(text)
    assert caught.value.part == part
    assert words in caught.value.reason


def test_two_ats_are_shown_as_they_should_be_written() -> None:
    with pytest.raises(BadUrl) as caught:
        parse("ssh://me@corp.example@bastion:22")
    assert caught.value.correction.endswith("ssh://me%40corp.example@bastion:22")


@pytest.mark.parametrize(
    "text",
    [
        "ssh://tunnel:hun@ter2@bastion",
        "ssh://tunnel:hun/ter2@bastion",
        "ssh://tunnel:hunter2",
        "ssh://tunnel:hunter2@",
        "ssh://tunnel:hunter2%@bastion",
        "ssh://tunnel:hunter2@bastion:x",
        "ssh://tunnel:hunter2@bastion/path",
        "ssh:/tunnel:hunter2@bastion",
    ],
)
def test_a_password_is_in_no_complaint(text: str) -> None:
    with pytest.raises(BadUrl) as caught:
        parse(text)
    said = repr(caught.value) + caught.value.reason + caught.value.correction
    assert "hun" not in said.replace("hung", "")
    assert "ter2" not in said


def test_a_password_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(parse("ssh://tunnel:hunter2@bastion"))


@given(st.text(max_size=60) | st.text(alphabet="ssh:/@[]%?#0aé\u200b ", max_size=30).map("ssh://".__add__))
@example("ssh://[::1]:22")
@example("ssh://\ud800@b")
def test_nothing_but_our_own_refusal_ever_comes_of_a_url(text: str) -> None:
    try:
        assert parse(text).host
    except BadUrl as refusal:
        assert refusal.reason
        assert refusal.correction
