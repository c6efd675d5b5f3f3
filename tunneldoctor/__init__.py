"""tunneldoctor finds out why an SSH tunnel to a database does not work, and says how to fix it."""

__version__ = "0.1.0"
