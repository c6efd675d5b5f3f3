"""The faults that the demo can put into its tunnel."""

from enum import StrEnum


class Fault(StrEnum):
    """One thing that is wrong in the demo's tunnel; the value is what ``--fault`` takes."""

    WRONG_KEY = "wrong-key"
    CHANGED_HOST_KEY = "changed-host-key"
    FORWARDING_REFUSED = "forwarding-refused"
    UNKNOWN_DATABASE_HOST = "unknown-database-host"
    WRONG_PASSWORD = "wrong-password"


MEANING: dict[Fault, str] = {
    Fault.WRONG_KEY: "the bastion does not know the key",
    Fault.CHANGED_HOST_KEY: "known_hosts holds another host key than the bastion's",
    Fault.FORWARDING_REFUSED: "the bastion lets the user in and forwards nothing",
    Fault.UNKNOWN_DATABASE_HOST: "the bastion can't resolve the database's name",
    Fault.WRONG_PASSWORD: "the database refuses the password",
}
