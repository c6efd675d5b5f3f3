"""All pages of all check packages, found by code and read when asked for."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tunneldoctor.catalog.notes import Notes
from tunneldoctor.catalog.page import Page, read
from tunneldoctor.catalog.symptoms import Symptom, read_symptoms
from tunneldoctor.model import CheckPackage


class Catalog:
    """The pages below *folders*, first folder first: ``FOLDER/layer/name.md`` is the code ``layer.name``.

    *further* gives more folders, and is asked only where those before have no such page. *notes* are a company's own
    words, which come with each page.
    """

    def __init__(
        self, folders: Sequence[Path], notes: Notes | None = None, further: Callable[[], Sequence[Path]] = tuple
    ) -> None:
        self._near = tuple(folders)
        self._notes = notes
        self._further = further
        self._far: tuple[Path, ...] | None = None
        self._read: dict[str, Page | None] = {}

    @classmethod
    def of(cls, packages: Sequence[CheckPackage], notes: Notes | None = None) -> "Catalog":
        """The pages of *packages*."""
        return cls([package.pages for package in packages], notes)

    @property
    def folders(self) -> Iterator[Path]:
        """Every folder, in order."""
        yield from self._near
        if self._far is None:
            self._far = tuple(folder for folder in self._further() if folder not in self._near)
        yield from self._far

    def find(self, code: str) -> Page | None:
        """The page of *code*, or None. Raises PageError where the page can't be used."""
        if code not in self._read:
            path = self._path(code)
            self._read[code] = self._noted(read(path)) if path else None
        return self._read[code]

    def has(self, code: str) -> bool:
        """Whether *code* has a page, which is not read for that."""
        return self._path(code) is not None

    def page(self, code: str) -> Page:
        """The page of *code*. Raises LookupError where there is none, PageError where it can't be used."""
        page = self.find(code)
        if page is None:
            raise LookupError(f"no page for {code}")
        return page

    def codes(self) -> list[str]:
        """Every code that has a page, sorted; no page is read."""
        return sorted({f"{path.parent.name}.{path.stem}" for folder in self.folders for path in folder.glob("*/*.md")})

    def __iter__(self) -> Iterator[Page]:
        return (self.page(code) for code in self.codes())

    def symptoms(self) -> tuple[Symptom, ...]:
        """What somebody may see, with its pages, in the order of the folders. Raises PageError."""
        return tuple(symptom for folder in self.folders for symptom in read_symptoms(folder))

    def faults_of_notes(self) -> Iterator[str]:
        """What is amiss with the company's notes, a line each."""
        yield from self._notes.faults(self.has, self.codes) if self._notes else ()

    def _noted(self, page: Page) -> Page:
        return replace(page, notes=self._notes.of(page.code)) if self._notes else page

    def _path(self, code: str) -> Path | None:
        layer, _, name = code.partition(".")
        if not layer.isidentifier() or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            return None
        paths = (folder / layer / f"{name}.md" for folder in self.folders)
        return next((path for path in paths if path.is_file()), None)
