"""The bastion opens a connection to the database for us."""

from tunneldoctor.model import Check, Context, Layer, Outcome, Where
from tunneldoctor_checks.facts import CERTIFICATE_FAULTS, CHANNEL, FORWARD_REFUSED, LOOK_WANTED, SESSION, TARGET
from tunneldoctor_checks.forward._opening import CODES, open_channel


def run(context: Context) -> Outcome:
    """Ask the bastion for a channel to the database."""
    return open_channel(context, context.need(TARGET), CHANNEL, {})


CHECK = Check(
    id="forward.open",
    layer=Layer.FORWARD,
    title="the bastion opens a connection to the database",
    where=Where.BASTION,
    run=run,
    needs=(SESSION, TARGET),
    wants=(CERTIFICATE_FAULTS,),
    gives=(CHANNEL, FORWARD_REFUSED, LOOK_WANTED),
    codes=CODES,
    equivalent="ssh -v -N {ssh_options} -L {local_end}:{remote_host}:{remote_port} {bastion_username}@{bastion_host}",
)
