"""Every host key that the server has, for ``tunneldoctor pin`` to show: one connection for each further type."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from tunneldoctor.model import Check, Context, Layer, Outcome, Policy, Tunnel, Value, Where
from tunneldoctor_checks.facts import STREAM, TRANSPORT
from tunneldoctor_checks.hostkey._further import further_keys

if TYPE_CHECKING:
    from tunneldoctor.ssh.transport import Transport

_ID = "hostkey.all-keys"


def run(context: Context) -> Outcome:
    """Measure ``HOP.host_key.TYPE``, the public key in base64, for each type."""
    first = context.need(TRANSPORT)
    measured = dict([_key(context.hop.name, first)])
    for further in further_keys(context, context.need(STREAM), first):
        name, value = _key(context.hop.name, further)
        measured.setdefault(name, value)
        further.close()
    return Outcome(measured=measured)


def _key(hop: str, transport: Transport) -> tuple[str, Value]:
    from tunneldoctor.ssh.blobs import key_type

    blob = transport.plain_host_key
    return f"{hop}.host_key.{key_type(blob)}", base64.b64encode(blob).decode("ascii")


def _applies(tunnel: Tunnel, policy: Policy) -> str | None:
    return None if _ID in policy.only else "a look of tunneldoctor pin"


CHECK = Check(
    id=_ID,
    layer=Layer.HOSTKEY,
    title="every host key of the server is known",
    where=Where.EACH_HOP,
    loads=("tunneldoctor.ssh.again",),
    needs=(TRANSPORT, STREAM),
    applies=_applies,
    run=run,
)
