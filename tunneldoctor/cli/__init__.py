"""The command line: the only place that decides exit codes and writes to stdout and stderr."""
