"""Whether two sources give sets of addresses that have nothing in common."""

from __future__ import annotations

from tunneldoctor.net.compare import Opinion, differing, merged
from tunneldoctor.net.replies import Server

ONE, TWO = Server("192.0.2.1"), Server("192.0.2.2")


def test_one_common_address_is_agreement() -> None:
    assert differing(["203.0.113.2", "203.0.113.3"], [Opinion(ONE, ("203.0.113.3", "203.0.113.9"))]) == ()


def test_nothing_in_common_is_a_difference() -> None:
    other = Opinion(ONE, ("198.51.100.7",))
    assert differing(["203.0.113.2"], [other]) == (other,)


def test_different_families_are_no_difference() -> None:
    assert differing(["203.0.113.2"], [Opinion(ONE, ("2001:db8::2",))]) == ()


def test_one_family_in_common_is_enough() -> None:
    assert differing(["203.0.113.2", "2001:db8::2"], [Opinion(ONE, ("203.0.113.9", "2001:db8::2"))]) == ()


def test_the_same_ipv6_address_in_another_spelling_is_the_same() -> None:
    assert differing(["2001:db8:0:0::2"], [Opinion(ONE, ("2001:DB8::2",))]) == ()


def test_two_rounds_are_added_up_and_who_fell_silent_is_left_out() -> None:
    first = [Opinion(ONE, ("203.0.113.2",)), Opinion(TWO, ("203.0.113.9",))]
    assert merged(first, [Opinion(ONE, ("203.0.113.3",))]) == (Opinion(ONE, ("203.0.113.2", "203.0.113.3")),)
