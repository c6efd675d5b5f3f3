"""The built-in checks, registered through the same entry point as anybody's own."""

from pathlib import Path

from tunneldoctor.model import CheckPackage

PACKAGE = CheckPackage("tunneldoctor", (), Path(__file__).parent)
