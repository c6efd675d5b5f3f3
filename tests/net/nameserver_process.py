"""The scripted name server as a process for namespaces: ``nameserver_process.py ADDRESS JSON``."""

import json
import sys
import threading

from tests.net.nameserver import ScriptedNameServer


def main(address: str, script: str) -> None:
    questions = {tuple(key.split()): answer for key, answer in json.loads(script).items()}
    ScriptedNameServer(questions, address, 53)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
