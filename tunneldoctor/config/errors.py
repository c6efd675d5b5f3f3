"""What ends the reading of a configuration, and of one URL in it."""


class ConfigError(Exception):
    """The configuration can't be used at all: exit status 2. The text is one line with place, fault and remedy."""


class BadUrl(Exception):
    """A URL that can't be used. No argument ever holds a piece of the URL that may belong to a password.

    ``part`` is ``scheme``, ``user``, ``password``, ``host``, ``port``, ``path``, ``query`` or ``whole``; ``reason``
    says what is wrong with it, ``correction`` how to write it.
    """

    def __init__(self, part: str, reason: str, correction: str) -> None:
        super().__init__(reason)
        self.part = part
        self.reason = reason
        self.correction = correction
