"""The command line: the only place that decides exit codes and writes to stdout and stderr."""

import sys


def main() -> None:
    """The program ``tunneldoctor``: run the command line and end the process with its exit status."""
    try:
        from tunneldoctor.cli.app import run

        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
