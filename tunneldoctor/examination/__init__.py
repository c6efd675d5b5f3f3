"""One examination for whoever shows it, command line or TUI: no secret in an event, a report whatever happens."""
