"""A TCP server for namespaces: ``listener.py PORT ADDRESS…`` prints ``ready`` and serves until killed."""

import selectors
import socket
import sys


def main(port: str, *addresses: str) -> None:
    selector = selectors.DefaultSelector()
    kept = []
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        selector.register(socket.create_server((address, int(port)), family=family), selectors.EVENT_READ)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while True:
        for key, _ in selector.select():
            assert isinstance(key.fileobj, socket.socket)
            client, _ = key.fileobj.accept()
            kept.append(client)


if __name__ == "__main__":
    main(*sys.argv[1:])
