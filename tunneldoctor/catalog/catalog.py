"""All pages of all check packages, found by code and read when asked for."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from tunneldoctor.catalog.page import Page, read
from tunneldoctor.model import CheckPackage


class Catalog:
    """The pages below *folders*, first folder first: ``FOLDER/layer/name.md`` is the code ``layer.name``."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folders)
        self._read: dict[str, Page | None] = {}

    @classmethod
    def of(cls, packages: Sequence[CheckPackage]) -> "Catalog":
        """The pages of *packages*."""
        return cls([package.pages for package in packages])

    def find(self, code: str) -> Page | None:
        """The page of *code*, or None. Raises PageError where the page can't be used."""
        if code not in self._read:
            path = self._path(code)
            self._read[code] = read(path) if path else None
        return self._read[code]

    def page(self, code: str) -> Page:
        """The page of *code*. Raises LookupError where there is none, PageError where it can't be used."""
        page = self.find(code)
        if page is None:
            raise LookupError(f"no page for {code}")
        return page

    def codes(self) -> list[str]:
        """Every code that has a page, sorted; no page is read."""
        return sorted({f"{path.parent.name}.{path.stem}" for folder in self._folders for path in folder.glob("*/*.md")})

    def __iter__(self) -> Iterator[Page]:
        return (self.page(code) for code in self.codes())

    def _path(self, code: str) -> Path | None:
        layer, _, name = code.partition(".")
        if not layer.isidentifier() or not name or not set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-"):
            return None
        paths = (folder / layer / f"{name}.md" for folder in self._folders)
        return next((path for path in paths if path.is_file()), None)
