"""A company's words about a code, on its way from the page to the finding."""

from pathlib import Path

import pytest

from tunneldoctor.catalog import Catalog, Notes
from tunneldoctor.engine.explain import Explainer
from tunneldoctor.model import Finding, Hop, Tunnel, rules_out

SYMPTOM = '---\ntitle: "x"\nsummary: "y"\ncauses: [tcp.one, tcp.other]\n---\nbody\n'
CAUSE = '---\ntitle: "x"\nsummary: "y"\n---\nbody\n'


@pytest.mark.parametrize(
    ("noted", "shown"),
    [
        (["symptom", "one"], "about one"),
        (["symptom"], "about symptom"),
        (["one"], "about one"),
        (["other"], None),
        ([], None),
    ],
)
def test_of_a_symptom_that_was_narrowed_the_causes_note_wins(tmp_path: Path, noted: list[str], shown: str) -> None:
    pages, notes = tmp_path / "pages" / "tcp", tmp_path / "notes" / "tcp"
    for folder in (pages, notes):
        folder.mkdir(parents=True)
    for name, text in (("symptom", SYMPTOM), ("one", CAUSE), ("other", CAUSE)):
        (pages / f"{name}.md").write_text(text)
    for name in noted:
        (notes / f"{name}.md").write_text(f"about {name}\n")
    explainer = Explainer(Catalog([pages.parent], Notes(notes.parent)), Tunnel("orders", (Hop("bastion", "b"),)), ())
    told = explainer.explain(Finding("tcp.symptom"), "bastion", [rules_out("tcp.other", "seen")], {})
    assert (told.code, told.symptom, told.notes) == ("tcp.one", "tcp.symptom", shown)
