"""Addresses that a name is given so that nobody gets anywhere: by filters, block lists and mistakes."""

from tunneldoctor.net.scope import is_loopback, is_unspecified, parse

#: "Your DNS needs immediate attention": ICANN, name collision, 2014.
_COLLISION = "127.0.53.53"
#: Block pages: Cisco Umbrella (146.112.61.104 to .110), Fortinet's DNS filter (community.fortinet.com, 260790).
_BLOCK_PAGES = {f"146.112.61.{last}": "Cisco Umbrella" for last in range(104, 111)} | {
    "208.91.112.55": "a FortiGate's DNS filter",
    "2001:cdba::3257:9652": "a FortiGate's DNS filter",
}


def why_not_real(address: str, loopback_is_fine: bool) -> str | None:
    """Why *address* can't be the bastion's, in words for a reader, or None."""
    parsed = parse(address)
    if is_unspecified(address):
        return "it stands for no host at all; block lists use it"
    if str(parsed) == _COLLISION:
        return "it is ICANN's sign that a private name has become a public one"
    if is_loopback(address) and not loopback_is_fine:
        return "it is this machine itself"
    if owner := _BLOCK_PAGES.get(str(parsed)):
        return f"it is the block page of {owner}"
    return None
