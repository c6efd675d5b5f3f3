"""Reads the checks' pages and fills their advice with a tunnel's own values."""

from tunneldoctor.catalog.by_hand import by_hand
from tunneldoctor.catalog.catalog import Catalog
from tunneldoctor.catalog.fill import command, text, whole_command
from tunneldoctor.catalog.notes import Notes
from tunneldoctor.catalog.page import Page, PageError, Sign
from tunneldoctor.catalog.values import tunnel_values

__all__ = [
    "Catalog",
    "Notes",
    "Page",
    "PageError",
    "Sign",
    "by_hand",
    "command",
    "text",
    "tunnel_values",
    "whole_command",
]
