"""The same as for the db checks."""

from tests.checks.db.conftest import authority, examine, home, postgres, server  # noqa: F401 - fixtures
