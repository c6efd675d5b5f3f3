"""What the database package found, as findings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunneldoctor.model import Finding, Outcome

if TYPE_CHECKING:
    from tunneldoctor.database.trouble import Trouble
    from tunneldoctor.model import Severity


def finding(trouble: Trouble, severity: Severity | None = None) -> Finding:
    """*trouble* as a finding under its public code."""
    return Finding(trouble.reason.code, trouble.params, trouble.evidence, severity)


def outcome(trouble: Trouble) -> Outcome:
    """*trouble* as the only finding, with what it says about causes."""
    return Outcome(findings=(finding(trouble),), rulings=trouble.rulings)
