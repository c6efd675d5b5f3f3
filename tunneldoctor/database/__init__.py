"""What the db checks stand on: wire probes, TLS, logins, one module an engine."""
