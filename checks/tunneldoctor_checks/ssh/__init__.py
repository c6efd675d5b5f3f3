"""What answers on the port, before any secret is used."""
