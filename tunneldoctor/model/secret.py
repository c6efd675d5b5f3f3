"""References to secrets, and the secrets themselves once they are read."""

from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Secret:
    """A secret's bytes, which no ``repr``, ``str`` or format shows: ask for them with :meth:`reveal`."""

    _value: bytes

    @classmethod
    def of(cls, text: str) -> Self:
        """Wrap *text* (UTF-8); bytes that Python took in as surrogates (PEP 383) come out as they were."""
        return cls(text.encode(errors="surrogateescape"))

    def reveal(self) -> bytes:
        """The bytes themselves. Whoever calls this answers for where they go."""
        return self._value

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is to be found, as the user wrote it.

    ``scheme`` is ``file``, ``env``, ``keyring``, ``agent`` or a further store's prefix; ``literal`` means
    that the secret itself was written where a reference belongs: then ``secret`` holds it and ``name`` is empty.
    """

    scheme: str
    name: str
    secret: Secret | None = None

    @property
    def is_literal(self) -> bool:
        """True where the secret itself was given."""
        return self.scheme == "literal"

    def __str__(self) -> str:
        return "(given in plain text)" if self.is_literal else f"{self.scheme}:{self.name}"


class SecretUnavailable(Exception):
    """A reference points at nothing, or at something this user can't read.

    ``reason`` says which, in words for the user; ``kind`` is ``missing``, ``unreadable``, ``too-large``,
    ``not-a-file`` or ``unsupported`` (no such store, or its library is not installed).
    """

    def __init__(self, reference: Reference, kind: str, reason: str) -> None:
        super().__init__(reason)
        self.reference = reference
        self.kind = kind
        self.reason = reason
