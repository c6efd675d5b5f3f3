"""Commands that a person could type instead of a check: whole, quoted, without a secret; or none."""

import shlex
from dataclasses import replace

from tests.report.samples import BASTION, EDGE, ORDERS
from tunneldoctor.catalog import by_hand, tunnel_values, whole_command
from tunneldoctor.engine import load_packages
from tunneldoctor.engine.plan import plan
from tunneldoctor.model import Policy, Reference, Secret, Tunnel


def equivalents(tunnel: Tunnel) -> dict[tuple[str, str], str]:
    checks = [check for package in load_packages() for check in package.checks]
    announced = (each.announce(tunnel) for each in plan(tunnel, checks, Policy()))
    return {(each.id, each.hop): each.equivalent for each in announced if each.equivalent}


def test_each_stage_has_the_command_that_a_person_would_type() -> None:
    told = equivalents(ORDERS)
    assert told["tcp.connect", "bastion"] == "nc -vz -w10 bastion.example.com 22"
    assert told["forward.open", "bastion"] == (
        "ssh -v -N -i ~/.ssh/orders_ed25519 -o IdentitiesOnly=yes "
        "-L 5432:db.internal.corp:5432 tunnel@bastion.example.com"
    )
    client, words = shlex.split(told["db.login", "database"])
    assert client == "psql"
    assert words.startswith("host=db.internal.corp hostaddr=127.0.0.1 port=5432 user=app dbname=orders")


def test_behind_a_jump_host_ssh_goes_through_it() -> None:
    edge = replace(EDGE, private_keys=BASTION.private_keys)
    told = equivalents(replace(ORDERS, hops=(edge, BASTION)))
    assert " -J jump@edge.example.com:2222 " in told["auth.login", "bastion"]
    assert " -p 2222 " in told["auth.login", "via-1"]
    assert "-J" not in told["auth.login", "via-1"]


def test_no_command_has_a_gap_or_a_secret_in_it() -> None:
    literal = Reference("literal", "", Secret.of("correct-horse-battery-staple"))
    hop = replace(BASTION, private_keys=(literal,), password=literal, passphrase=literal)
    for tunnel in (replace(ORDERS, hops=(hop,)), replace(ORDERS, hops=(replace(BASTION, host=None),)), ORDERS):
        for command in equivalents(tunnel).values():
            assert "{" not in command
            assert "correct-horse" not in command


def test_hostile_names_stay_one_word() -> None:
    hop = replace(BASTION, host="x; rm -rf ~", username="$(id)")
    values = tunnel_values(replace(ORDERS, hops=(hop,)), "bastion", {}) | by_hand(ORDERS, "bastion")
    assert shlex.split(whole_command("nc {bastion_host} {bastion_username}", values)) == ["nc", "x; rm -rf ~", "$(id)"]
