import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunneldoctor.config.lines import Lines

TEXT = '''# a comment with [brackets] and key = 1
[defaults]
connect_timeout = "10s"

[tunnels.orders]   # the first
via = [
  "ssh://a",       # not = a key
  "ssh://b",
]
private_key = """
bastion_host = "not a key"
[not.a.table]
"""
database = 'x # y'
host_key = "a \\" [ b"
tunnels."odd.name".bastion_port = 22

[tunnels . "two words"]
bastion_host = "b"
inline = { bastion_host = "x",
           y = 1 }
after = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("defaults",), 2),
        (("defaults", "connect_timeout"), 3),
        (("tunnels",), 5),
        (("tunnels", "orders"), 5),
        (("tunnels", "orders", "tunnels"), 16),
        (("tunnels", "orders", "via"), 6),
        (("tunnels", "orders", "private_key"), 10),
        (("tunnels", "orders", "database"), 14),
        (("tunnels", "orders", "host_key"), 15),
        (("tunnels", "orders", "tunnels", "odd.name", "bastion_port"), 16),
        (("tunnels", "two words", "bastion_host"), 19),
        (("tunnels", "two words", "after"), 22),
    ],
)
def test_the_line_of_a_key(path: tuple[str, ...], line: int) -> None:
    assert Lines(TEXT).of(path) == line


def test_a_key_of_an_inline_table_is_told_by_that_tables_line() -> None:
    assert Lines(TEXT).of(("tunnels", "two words", "inline", "bastion_host")) == 20


def test_what_is_inside_a_text_of_several_lines_is_no_key() -> None:
    assert Lines(TEXT).of(("not", "a", "table")) is None


def test_what_is_not_there_has_no_line() -> None:
    assert Lines("").of(("tunnels", "orders")) is None


@given(st.text(alphabet="ab.=[]{}\"'# \n\\", max_size=60))
def test_any_text_is_read_without_an_exception(text: str) -> None:
    Lines(text).of(("a", "b"))


@given(
    st.dictionaries(
        st.sampled_from(["one", "two", "three"]), st.sampled_from(['"x"', "'y'", "[1,\n2]", '"""\na = 1\n"""'])
    )
)
def test_every_key_that_tomllib_reads_has_its_line(values: dict[str, str]) -> None:
    text = "[t]\n" + "".join(f"{key} = {value}\n" for key, value in values.items())
    lines = Lines(text)
    for key in tomllib.loads(text)["t"]:
        line = lines.of(("t", key))
        assert line is not None
        assert text.splitlines()[line - 1].startswith(f"{key} = ")
