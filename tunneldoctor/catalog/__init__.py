"""Reads the checks' pages and fills their advice with a tunnel's own values."""

from tunneldoctor.catalog.catalog import Catalog
from tunneldoctor.catalog.fill import command, text
from tunneldoctor.catalog.page import Page, PageError
from tunneldoctor.catalog.values import tunnel_values

__all__ = ["Catalog", "Page", "PageError", "command", "text", "tunnel_values"]
