"""The boxes on a path that forget unused connections: after how long, in which way, and which of them it probably is.

A number alone names nobody: 350 seconds are five different things of one provider. What counts beside it is how the
connection dies, on which leg, what resets the timer, and what the host's name gives away. Times are seconds. Each row
cites where its figures come from; "in practice" marks those that no vendor documents.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tunneldoctor.idle.flow import How
from tunneldoctor.model import Provider

#: What restarts a box's timer: TCP keepalives carry no data; what SSH or a database sends does.
TCP, PAYLOAD = "tcp", "payload"
_BOTH = frozenset({TCP, PAYLOAD})
#: How much of a limit a measurement may miss it by.
_TOLERANCE = 0.03
#: Seconds between keepalives that hold against every limit in common use: Classic Load Balancers' and HAProxy's minute
#: is the shortest.
_OFTEN_ENOUGH = 20
#: Longest sensible time between two keepalives: against the shortest limits in common use it still comes three times.
_SELDOMEST = 60
_AWS, _AZURE, _GCP = Provider.AWS, Provider.AZURE, Provider.GCP
_SILENT, _RESET, _CLOSED = How.SILENT, How.RESET, How.CLOSED


@dataclass(frozen=True, slots=True)
class Box:
    """A kind of box with its limit as delivered, between *least* and *most* where it may be set to something else.

    ``how`` are the ways in which it ends a connection, ``resets`` what restarts its timer. ``sign`` is what host names
    give it away. ``known`` says that such a name is reason enough to expect the cut. ``lets_back_in``: a packet from
    the side that opened the connection is let through again, and only what the other side says first is lost; None
    where that is a matter of its settings.
    """

    name: str
    seconds: float
    how: Collection[How]
    provider: Provider | None = None
    longest: float = 0.0
    least: float = 0.0
    most: float = 0.0
    resets: frozenset[str] = _BOTH
    sign: re.Pattern[str] | None = None
    known: bool = False
    lets_back_in: bool | None = False

    def is_named(self, host: str) -> bool:
        """Whether *host* is a name of such a box."""
        return self.sign is not None and self.sign.search(host.lower().rstrip(".")) is not None

    def cuts_within(self, lower: float, upper: float) -> bool:
        """Whether its limit as delivered lies between *lower* and *upper*, give or take what a measurement misses."""
        return lower < max(self.seconds, self.longest) * (1 + _TOLERANCE) and self.seconds * (1 - _TOLERANCE) <= upper

    def may_be_set_within(self, lower: float, upper: float) -> bool:
        """Whether somebody may have set it so."""
        return self.least <= upper and lower < self.most


@dataclass(frozen=True, slots=True)
class Suspect:
    """A box that may have done it; ``because`` are the reasons in words, the strongest first."""

    box: Box
    because: tuple[str, ...]
    weight: int

    def __str__(self) -> str:
        return f"{self.box.name}: {', '.join(self.because)}"


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


BOXES = (
    # "Update the TCP idle timeout for your Network Load Balancer": 350 s, 60 to 6000; names are
    # NAME-HASH.elb.REGION.amazonaws.com. "the client receives a TCP RST": Network Load Balancers, user guide
    Box(
        "an AWS Network Load Balancer", 350, {_RESET}, _AWS, least=60, most=6000,
        sign=_named(r"\.elb\.[a-z0-9-]+\.amazonaws\.com(\.cn)?$"), known=True,
    ),
    # "Configure the idle timeout for your Classic Load Balancer": 60 s, 1 to 4000, and TCP keepalives do not count;
    # names are NAME-HASH.REGION.elb.amazonaws.com (an Application Load Balancer's too, which speaks HTTP alone)
    Box(
        "an AWS Classic Load Balancer", 60, {_CLOSED}, _AWS, least=1, most=4000, resets=frozenset({PAYLOAD}),
        sign=_named(r"\.[a-z]+(-[a-z]+)+-\d\.elb\.amazonaws\.com(\.cn)?$"), known=True,
    ),
    # "NAT gateways: Internet connection drops after 350 seconds", VPC user guide: it sends an RST, never a FIN
    Box("an AWS NAT gateway", 350, {_RESET, _SILENT}, _AWS),
    # AWS Global Accelerator, "How it works": TCP 340 s
    Box(
        "AWS Global Accelerator", 340, {_SILENT, _RESET}, _AWS,
        sign=_named(r"\.awsglobalaccelerator\.com$"), known=True,
    ),
    # "AWS PrivateLink concepts": an endpoint service is a Network Load Balancer, with its 350 s
    Box(
        "an AWS PrivateLink endpoint", 350, {_SILENT, _RESET}, _AWS,
        sign=_named(r"\.vpce\.amazonaws\.com(\.cn)?$"), known=True,
    ),
    # EC2 API, ConnectionTrackingSpecificationRequest: 350 s on Nitro v6, 5 days before; 60 to 432000
    Box("connection tracking of an AWS security group", 350, {_SILENT}, _AWS, least=60, most=432000),
    # Network Firewall API, FlowTimeouts: 350 s, 60 to 6000; Gateway Load Balancer the same (AWS blog, September 2024)
    Box("AWS Network Firewall or a Gateway Load Balancer", 350, {_SILENT}, _AWS, least=60, most=6000),
    # RDS API, ModifyDBProxy IdleClientTimeout: 1800 s, up to 28800; a session is idle until the next query
    Box(
        "RDS Proxy", 1800, {_CLOSED}, _AWS, least=1, most=28800, resets=frozenset(),
        sign=_named(r"\.proxy-[a-z0-9]+\.[a-z0-9-]+\.rds\.amazonaws\.com(\.cn)?$"), known=True,
    ),
    # Systems Manager, idleSessionTimeout: 20 minutes, 1 to 60
    Box("a Session Manager session", 1200, {_CLOSED}, _AWS, least=60, most=3600, resets=frozenset({PAYLOAD})),
    # "Load Balancer TCP Reset and Idle Timeout": 4 minutes, up to 100, silent unless TCP reset is on; a machine's own
    # public address has the same 4 minutes, up to 30
    Box(
        "an Azure load balancer or public address", 240, {_SILENT, _CLOSED}, _AZURE, least=240, most=6000,
        sign=_named(r"\.cloudapp\.(azure\.com|azure\.cn|usgovcloudapi\.net)$"), known=True,
    ),
    # "Azure NAT Gateway resource": 4 minutes, up to 120; a reset to whoever sends next
    Box("an Azure NAT gateway", 240, {_RESET, _SILENT}, _AZURE, least=240, most=7200),
    # "Azure Firewall: TCP session behavior": 4 minutes north-south with a reset to both ends, 5 east-west without
    Box("Azure Firewall, between Azure and the outside", 240, {_CLOSED}, _AZURE, most=1800, least=240),
    Box("Azure Firewall, between networks", 300, {_SILENT}, _AZURE),
    # "What is Azure Private Link service?": about 5 minutes, not to be set
    Box("an Azure Private Link service", 240, {_SILENT}, _AZURE, longest=300),
    # Azure SQL gateway: 30 minutes in practice, and only where it stays in between (connection policy Proxy)
    Box("the Azure SQL gateway", 1800, {_CLOSED, _RESET}, _AZURE, sign=_named(r"\.database\.windows\.net$")),
    # Compute Engine, "Troubleshooting SSH": 10 minutes, fixed; "until at least one new outbound packet"
    Box("Google's VPC firewall", 600, {_SILENT}, _GCP, lets_back_in=True),
    # "Tune NAT configuration": 1200 s for established connections
    Box("Google Cloud NAT", 1200, {_SILENT}, _GCP, least=30, most=86400),
    # compute_v1_messages.py of the Cloud SDK: 600 s internal, 60 s external; a reset by a backend that knows nothing
    Box("a Google passthrough load balancer, internal", 600, {_RESET}, _GCP, most=57600, least=60),
    Box("a Google passthrough load balancer, external", 60, {_RESET}, _GCP),
    # the same: timeoutSec of a backend service, 30 s
    Box("a Google proxy load balancer", 30, {_CLOSED, _RESET}, _GCP, least=1, most=2**31, resets=frozenset({PAYLOAD})),
    # "Using IAP for TCP forwarding": one hour without traffic
    Box("Google's IAP", 3600, {_CLOSED}, _GCP, resets=frozenset({PAYLOAD})),
    # nginx stream_proxy_module: proxy_timeout 10m; Envoy tcp_proxy idle_timeout 1 h; HAProxy's samples 1 minute
    Box("HAProxy (timeout client, timeout tunnel)", 50, {_CLOSED}, longest=60, least=1, most=86400,
        resets=frozenset({PAYLOAD})),
    Box("nginx (proxy_timeout)", 600, {_CLOSED}, least=1, most=86400, resets=frozenset({PAYLOAD})),
    Box("Envoy", 3600, {_CLOSED, _RESET}, least=1, most=86400, resets=frozenset({PAYLOAD})),
    # kube-proxy --ipvs-tcp-timeout, Linux ip_vs_proto_tcp.c: 15 minutes
    Box("IPVS, as in Kubernetes", 900, {_RESET, _SILENT}),
    # Juniper SRX: 1800 s; Fortinet session-ttl, Cisco ASA timeout conn, Palo Alto, Check Point (in practice): one hour
    Box("a Juniper SRX or a Cisco RV", 1800, {_SILENT}, least=4, most=86400),
    Box("a firewall (FortiGate, Cisco ASA, Palo Alto, Check Point)", 3600, {_SILENT, _CLOSED}, least=300, most=2764800),
    # RFC 5382 REQ-5 asks for 2 h 4 min at least, and many take just that (OpenWrt; carrier-grade NAT, in practice)
    Box("a home router or a provider's NAT", 7440, {_SILENT}),
    # Linux nf_conntrack: five days as delivered; nf_conntrack_tcp_loose=1 takes up a connection that the client goes
    # on with (measured; also for masquerading that keeps the port)
    Box("a stateful filter or NAT of Linux", 432000, {_SILENT, _RESET}, least=1, most=432000, lets_back_in=None),
)  # fmt: skip

_WAY = {
    _SILENT: "it forgets without telling anybody",
    _RESET: "it answers the next packet with a reset",
    _CLOSED: "it tells both ends when it ends a connection",
}


def behind(host: str) -> Box | None:
    """The box that *host* is certainly a name of, and that is known to cut; None for any other name."""
    return next((box for box in BOXES if box.known and box.is_named(host)), None)


def keepalive_for(seconds: float) -> int:
    """Seconds between two keepalives that hold a connection against a limit of *seconds*: three in that time."""
    return max(1, int(min(seconds / 3, _SELDOMEST)))


def often_enough(seconds: float) -> int:
    """The same where it is only known that the limit is not above *seconds*."""
    return min(_OFTEN_ENOUGH, keepalive_for(seconds))


def suspects(
    lower: float, upper: float, how: How, *, names: Sequence[str] = (), provider: Provider | None = None,
    tcp_keepalive: bool | None = None, payload: bool | None = None, server_first_alone: bool | None = None,
) -> tuple[Suspect, ...]:  # fmt: skip
    """Who may cut connections that are unused for more than *lower* and at most *upper* seconds, likeliest first.

    *names* are those of the hosts on that leg. *tcp_keepalive* and
    *payload* tell whether a connection survived by bare TCP keepalives, and by data (an SSH keepalive, a query);
    *server_first_alone* whether only what the server said first was lost. None: not measured.
    """
    arms = _Arms(how, tcp_keepalive, payload, server_first_alone)
    found = (_weighed(box, lower, upper, arms, names, provider) for box in BOXES if arms.allow(box))
    return tuple(sorted(filter(None, found), key=lambda each: -each.weight))


def in_words(likely: Sequence[Suspect], most: int = 3) -> str:
    """The first of *likely*, for the middle of a sentence."""
    names = list(dict.fromkeys(each.box.name for each in likely))[:most]
    return " or ".join(names) or "any proxy, firewall or load balancer that somebody set so"


@dataclass(frozen=True, slots=True)
class _Arms:
    """What was seen of the connections, apart from the time."""

    how: How
    tcp_keepalive: bool | None
    payload: bool | None
    server_first_alone: bool | None

    def allow(self, box: Box) -> bool:
        """Whether nothing that was seen speaks against *box*."""
        told = ((TCP, self.tcp_keepalive), (PAYLOAD, self.payload))
        fits = all(alive is None or alive is (kind in box.resets) for kind, alive in told)
        same = None in (self.server_first_alone, box.lets_back_in) or self.server_first_alone is box.lets_back_in
        return fits and same and self.how in box.how

    def reasons(self, box: Box) -> Iterator[str]:
        """What was seen that is like *box*, in words."""
        if self.server_first_alone:
            yield "it lets a client back in that speaks first, and nothing that the server says first"
        yield _WAY[self.how]
        if self.tcp_keepalive is not None:
            yield f"bare TCP keepalives {'restart' if self.tcp_keepalive else 'do not restart'} its timer, as here"


def _weighed(
    box: Box, lower: float, upper: float, arms: _Arms, names: Sequence[str], provider: Provider | None
) -> Suspect | None:
    name = next((host for host in names if box.is_named(host)), None)
    as_delivered = box.cuts_within(lower, upper)
    if not as_delivered and not box.may_be_set_within(lower, upper):
        return None
    ours = box.provider is not None and box.provider is provider
    if not as_delivered and not (name or ours or box.lets_back_in is None):
        return None  # what can be set to anything is nothing to go by
    because = [f"{name} is its name"] if name else []
    because.append(_limit(box) if as_delivered else f"it can be set to {box.least:g} to {box.most:g} s")
    because += arms.reasons(box)
    weight = 8 * bool(name) + 4 * as_delivered + 2 * bool(arms.server_first_alone) + ours
    return Suspect(box, tuple(because), weight - (box.provider is not None and not ours and provider is not None))


def _limit(box: Box) -> str:
    span = f"{box.seconds:g} to {box.longest:g}" if box.longest else f"{box.seconds:g}"
    return f"its limit is {span} s" + (" unless somebody changed it" if box.most else "")
