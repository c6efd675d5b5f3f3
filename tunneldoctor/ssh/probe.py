"""Connect to a port from another machine, with whatever that machine has for it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tunneldoctor.model import Address, visible

if TYPE_CHECKING:
    from tunneldoctor.ssh.account import Account

#: Seconds more than the connection itself gets: for the shell to find a program and to start it.
_START = 1.0
#: What a program prints once it is connected; the first line of the server follows.
_CONNECTED = "connected"
#: How each program connects and reads one line: host, port and seconds are $1, $2 and $3. The best at saying why not
#: comes first. bash has /dev/tcp unless it was built without (bash(1), REDIRECTION).
_SCRIPT = r"""
echo "seen as ${SSH_CONNECTION%% *}"
has() { command -v "$1" >/dev/null 2>&1; }
if has python3; then
  echo "with python3"
  python3 -c '
import socket, sys
try:
    link = socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))
    print("connected", flush=True)
    link.settimeout(float(sys.argv[3]))
    print(link.recv(255).split(b"\n")[0].decode("latin-1"))
except OSError as error:
    sys.exit(str(error))
' "$1" "$2" "$3"
elif has bash && has timeout; then
  echo "with bash"
  timeout "$3" bash -c 'exec 3<>"/dev/tcp/$0/$1" && echo connected && IFS= read -r line <&3; echo "$line"' "$1" "$2"
elif has perl; then
  echo "with perl"
  perl -MIO::Socket::IP -e '
    $| = 1;
    my $link = IO::Socket::IP->new(PeerHost => $ARGV[0], PeerPort => $ARGV[1], Timeout => $ARGV[2]) or die "$@\n";
    print "connected\n"; alarm $ARGV[2]; print scalar <$link>;
  ' "$1" "$2" "$3"
elif has nc; then
  echo "with nc"
  line=$(nc -w "$3" "$1" "$2" </dev/null | head -n 1)
  if [ -n "$line" ]; then echo connected; echo "$line"; else nc -z -w "$3" "$1" "$2" </dev/null && echo connected; fi
else
  echo "with nothing"
fi
"""


@dataclass(frozen=True, slots=True)
class Probe:
    """What connecting from there came to.

    ``connected`` is None where it could not be tried. ``first`` is the first line that the server sent; ``said`` what
    the program there said, or why none was run; ``seen_as`` is our own address as that machine sees it.
    """

    connected: bool | None
    first: str = ""
    said: str = ""
    seen_as: str = ""


def connect(account: Account, target: Address, timeout: float) -> Probe:
    """Have *account* connect to *target*, an IP address and a port, read one line and hang up, in *timeout* seconds."""
    seconds = max(1, int(timeout - _START))
    arguments = shlex.join([target.host, str(target.port), str(seconds)])
    answer = account.run(f"set -- {arguments}\n{_SCRIPT}", timeout)
    if answer.problem:
        return Probe(None, said=answer.problem)
    lines = answer.stdout.splitlines()
    told = dict(line.split(" ", 1) for line in lines[:2] if " " in line)
    if told.get("with") == "nothing":
        return Probe(None, said="it has neither python3, bash, perl nor nc to connect with")
    seen_as = visible(told.get("seen", "").removeprefix("as "), 60)
    if _CONNECTED not in lines:
        said = answer.stderr.strip().splitlines()
        return Probe(False, said=visible(said[-1] if said else "no answer in time", 200), seen_as=seen_as)
    first = "\n".join(lines[lines.index(_CONNECTED) + 1 :]).strip()
    return Probe(True, visible(first, 255), seen_as=seen_as)
