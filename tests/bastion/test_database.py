"""What the way from the bastion to the database shows, from outputs of the script."""

from __future__ import annotations

import pytest

from tests.bastion.looks import judgement, named

OURS = "AA:" * 31 + "AA"
ANOTHER = "BB:" * 31 + "BB"
#: The clock of the bastion in these outputs has 2026-11-22 09:33.
LAST_YEAR, NEXT_YEAR, LATER = "Nov 22 09:00:00 2025 GMT", "Nov 22 09:00:00 2027 GMT", "Nov 23 09:00:00 2026 GMT"
SILENT = ("CONNECTED(00000003)", 124)
HUNG_UP = ("CONNECTED(00000003)\nwrite:errno=104", 1)
REFUSED = ("connect:errno=111\n40:error:8000006F:system library:BIO_connect:Connection refused:calling connect()", 1)


def presents(
    fingerprint: str = OURS, since: str = LAST_YEAR, until: str = NEXT_YEAR, name: str = "db.internal"
) -> tuple[str, int]:
    lines = (
        "CONNECTED(00000003)",
        "New, TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384",
        f"subject=CN = {name}",
        "issuer=CN = Corp CA",
        f"notBefore={since}",
        f"notAfter={until}",
        f"sha256 Fingerprint={fingerprint}",
        "X509v3 Subject Alternative Name: ",
        f"    DNS:{name}, DNS:*.replicas.internal, IP Address:192.0.2.20",
    )
    return "\n".join(lines), 0


def about(symptom: str, **more: str) -> dict[str, str]:
    return {"symptom": symptom, "engine": "postgresql", "name": "db.internal", **more}


def ours(symptom: str) -> dict[str, str]:
    return about(symptom, presented="aa" * 32)


@pytest.mark.parametrize(
    ("symptom", "faulty", "sound"),
    [
        ("db.no-answer", SILENT, presents()),
        ("db.tls-stalled", SILENT, presents()),
        ("db.closed-without-answer", HUNG_UP, presents()),
        ("db.tls-handshake-failed", HUNG_UP, presents()),
        ("db.tls-expired", presents(until=LAST_YEAR), presents(ANOTHER)),
        ("db.tls-not-yet-valid", presents(since=LATER), presents(ANOTHER)),
        ("db.tls-name-mismatch", presents(name="old.internal"), presents(ANOTHER)),
    ],
)
def test_one_server_of_two_that_is_at_fault_is_named(
    symptom: str, faulty: tuple[str, int], sound: tuple[str, int]
) -> None:
    verdict = judgement(ours(symptom), **{"tls__192.0.2.20": faulty, "tls__192.0.2.21": sound})
    assert named(verdict) == ["db.servers-differ"]
    params = verdict.rulings[0].params
    assert (params["faulty"], params["sound"], params["fault"]) == ("192.0.2.20", "192.0.2.21", symptom)


@pytest.mark.parametrize(
    ("symptom", "first", "second"),
    [
        ("db.no-answer", SILENT, SILENT),
        ("db.no-answer", SILENT, REFUSED),
        ("db.tls-expired", presents(until=LAST_YEAR), presents(ANOTHER, until=LAST_YEAR)),
        ("db.tls-untrusted-issuer", presents(), presents(ANOTHER)),
        ("db.tls-intercepted", presents(), presents(ANOTHER)),
    ],
)
def test_it_stays_what_it_is_where_no_server_is_known_to_be_sound(
    symptom: str, first: tuple[str, int], second: tuple[str, int]
) -> None:
    verdict = judgement(ours(symptom), **{"tls__192.0.2.20": first, "tls__192.0.2.21": second})
    assert named(verdict) == [symptom]
    assert "192.0.2.20: " in verdict.rulings[0].because


def test_an_issuers_certificate_that_expired_is_not_blamed_on_one_server() -> None:
    """Both servers' own certificates are in date; the other one's issuer may well be the same."""
    verdict = judgement(ours("db.tls-expired"), **{"tls__192.0.2.20": presents(), "tls__192.0.2.21": presents(ANOTHER)})
    assert verdict.rulings == ()
    assert "a clock is wrong, or its issuer's expired" in verdict.puzzle


@pytest.mark.parametrize("symptom", ["db.no-answer", "db.tls-handshake-failed", "db.tls-stalled"])
def test_a_handshake_that_works_there_proves_nothing(symptom: str) -> None:
    verdict = judgement(about(symptom), **{"tls__192.0.2.20": presents()})
    assert verdict.rulings == ()
    assert "openssl there does not meet with the same: 192.0.2.20: TLSv1.3" in verdict.puzzle


def test_another_certificate_than_ours_proves_nothing() -> None:
    verdict = judgement(ours("db.tls-expired"), **{"tls__192.0.2.20": presents(ANOTHER)})
    assert (verdict.rulings, bool(verdict.puzzle)) == ((), True)


def test_without_openssl_nothing_is_told() -> None:
    missing = ("stdbuf: failed to run command 'openssl': No such file or directory", 127)
    verdict = judgement(about("db.closed-without-answer"), **{"tls__192.0.2.20": missing})
    assert (verdict.rulings, bool(verdict.puzzle)) == ((), True)


def sizes(passes: str, lost: str, words: str = "") -> str:
    lines = [f"{size} 2 packets transmitted, 2 received, 0% packet loss" for size in passes.split()]
    lines += [f"{size} {words}2 packets transmitted, 0 received, 100% packet loss" for size in lost.split()]
    return "\n".join(reversed(lines))


@pytest.mark.parametrize(
    ("passes", "lost", "largest"), [("64 548 972 1172 1372", "1472", 1400), ("64", "548 972 1472", 92)]
)
def test_large_packets_that_vanish_without_a_word_are_named(passes: str, lost: str, largest: int) -> None:
    verdict = judgement(about("db.tls-stalled"), sizes=sizes(passes, lost))
    assert named(verdict) == ["db.large-packets-lost"]
    assert dict(verdict.rulings[0].params) == {"largest": largest, "mtu": 1500}


@pytest.mark.parametrize(
    "seen",
    [
        sizes("64 548 972 1172 1372 1472", ""),
        sizes("", "64 548 972 1172 1372 1472"),  # pings are filtered
        sizes("64 1472", "548 972"),  # some are lost, whatever their size
        sizes("64 1372", "1472", "ping: local error: message too long, mtu=1400 "),
        sizes("64 1372", "1472", "From 192.0.2.1 icmp_seq=1 Frag needed and DF set (mtu = 1400) "),
        "sh: 1: ping: not found",
    ],
    ids=["all-pass", "none-passes", "at-random", "known-here", "told-on-the-way", "no-ping"],
)
def test_packets_that_pass_or_are_told_to_be_too_large_prove_nothing(seen: str) -> None:
    verdict = judgement(about("db.tls-stalled"), sizes=seen, **{"tls__192.0.2.20": SILENT})
    assert named(verdict) == ["db.tls-stalled"]


def test_where_a_certificate_arrives_large_packets_are_not_to_blame() -> None:
    verdict = judgement(about("db.tls-stalled"), sizes=sizes("64 548", "972 1472"), **{"tls__192.0.2.20": presents()})
    assert verdict.rulings == ()


@pytest.mark.parametrize(
    ("route", "address"),
    [
        ("192.0.2.20 dev eth1 src 192.0.2.10 uid 0 \n    cache ", "192.0.2.10"),
        ("local 127.0.0.1 dev lo src 127.0.0.1 uid 0 \n    cache <local>", "127.0.0.1"),
        ("2001:db8::20 from :: dev eth1 proto kernel src 2001:db8::10 metric 256 pref medium", "2001:db8::10"),
        ("192.0.2.20 via 10.0.0.1 dev eth0 src 10.0.0.5 uid 1000", None),
    ],
)
def test_the_address_that_the_bastion_sends_from_is_told_where_nobody_translates_it(
    route: str, address: str | None
) -> None:
    verdict = judgement(about("db.host-not-allowed"), route=route)
    assert named(verdict) == ["db.host-not-allowed"]
    assert verdict.rulings[0].params.get("address") == address
    assert "sends from" in verdict.rulings[0].because


@pytest.mark.parametrize("route", [("RTNETLINK answers: Network is unreachable", 2), ("src nonsense:::", 0)])
def test_no_address_is_made_up(route: tuple[str, int]) -> None:
    verdict = judgement(about("db.host-not-allowed"), route=route)
    assert (verdict.rulings, bool(verdict.puzzle)) == ((), True)
