"""What the dns and tcp checks stand on: resolving names, connecting sockets, reading who refused."""
