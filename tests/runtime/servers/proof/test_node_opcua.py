"""node-opcua, the library of most web HMIs, at the demo: certificates, users, values, alarms, history, a server that dies.

What it said is in build/transcripts/node-opcua.txt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.aids.servers_proof import LIMIT, NodeClient, Proof, missing_node
from tests.aids.site import until

POLICIES = ("Basic256Sha256", "Aes256_Sha256_RsaPss")
P_SET, RESET = "ns=2;s=hmi.p_set", "ns=2;s=/commands/hmi.reset"
SPARED = r"/estimate\[\d{2,}\]$"  # of the 256 observers of cells, which are all alike, ten are looked into


@pytest.fixture(scope="module")
def node(proof: Proof) -> Iterator[NodeClient]:
    why = missing_node()
    if why:
        pytest.skip(why)
    with NodeClient(proof) as client:
        yield client


@pytest.fixture
def operator(node: NodeClient) -> Iterator[NodeClient]:
    """Signed in as the operator, by the policy that every client knows."""
    node.connect(POLICIES[0], user="otto")
    yield node
    node("disconnect")


def tags_of(nodes: dict[str, Any]) -> list[str]:
    """The node ids of tags: a name without a slash."""
    return [id for id, face in nodes.items() if id.startswith("ns=2;s=") and face["kind"] == "Variable" and "/" not in id]


def test_it_browses_all_and_finds_the_picture_of_plcopen(operator: NodeClient) -> None:
    found = operator("crawl", prune=SPARED)
    nodes, paths = found["nodes"], {face["path"] for face in found["nodes"].values()}
    assert found["bad"] == [] and len(nodes) > 5_000
    plc = "Root/Objects/DeviceSet/demo"
    for path in (
        f"{plc}/Resources/scan/Tasks/protection",
        f"{plc}/Resources/scan/Programs/protection/ready",
        f"{plc}/Resources/scan/Programs/protection/contactors/closing",
        f"{plc}/Resources/scan/GlobalVars",
    ):
        assert path in paths
    types = {face["type"] for face in nodes.values() if "type" in face and face["path"].startswith(plc)}
    assert {"ns=4;i=1001", "ns=4;i=1002", "ns=4;i=1006"} <= types  # configuration, resource, task of PLCopen 1.02
    assert nodes[RESET]["kind"] == "Method"
    assert nodes["ns=2;s=bms.soc"]["type"] == "ns=0;i=2368"  # AnalogItemType


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("user", "reset"), [("vera", "BadUserAccessDenied"), ("otto", "BadUserAccessDenied"), ("emma", "Good")])
def test_who_one_is_decides_what_one_may(node: NodeClient, policy: str, user: str, reset: str) -> None:
    """A viewer, an operator, and an engineer who comes with a certificate and no password."""
    signed_in = node.connect(policy, user=user)
    assert signed_in["policy"].endswith(f"#{policy}") and signed_in["mode"] == "SignAndEncrypt"
    writes = "BadUserAccessDenied" if user == "vera" else "Good"
    assert node("write", node=P_SET, type="Double", value=12.5)["status"] == writes
    assert node("call", object="ns=2;s=/commands", method=RESET)["status"] == writes
    assert node("call", object="ns=2;s=/commands", method="ns=2;s=/commands/ResetStatistics")["status"] == reset
    node("disconnect")


def test_a_wrong_password_and_an_unknown_certificate_are_not_let_in(node: NodeClient) -> None:
    assert "BadUserAccessDenied" in node.connect(POLICIES[0], user="otto", password="guessed", fails=True)["error"]
    refused = node.connect(POLICIES[0], user="otto", app="emma", fails=True)["error"]
    assert refused, "emma's certificate is a person's, and no application that the site trusts"


def test_a_write_is_answered_by_what_the_scan_did(operator: NodeClient) -> None:
    def write(node: str, kind: str, value: Any) -> str:
        return str(operator("write", node=node, type=kind, value=value)["status"])

    assert write(P_SET, "Double", -17.25) == "Good"
    assert operator("read", nodes=[P_SET])["values"][0]["value"] == -17.25
    assert write(P_SET, "Double", 500.5) == "BadOutOfRange"
    assert write(P_SET, "Int32", 5) == "BadTypeMismatch"
    assert write("ns=2;s=bms.soc", "Double", 5) == "BadNotWritable"
    assert write("ns=2;s=no.such", "Double", 5) == "BadNodeIdUnknown"
    assert operator("read", nodes=[P_SET])["values"][0] | {"at": ""} == {"value": -17.25, "status": "Good", "at": ""}


def test_an_alarm_comes_is_acknowledged_with_a_comment_and_goes(operator: NodeClient) -> None:
    """node-opcua's own alarm list: it selects every field of AlarmConditionType and begins with a ConditionRefresh."""

    def alarm() -> dict[str, Any]:
        return next(iter(operator("alarms", condition="ns=2;s=/alarms/p_set_high_h")["alarms"]), {})

    def becomes(**facts: Any) -> dict[str, Any]:
        return dict(until(lambda: alarm() if alarm().items() >= facts.items() else None, 20, f"the alarm with {facts}"))

    operator("write", node=P_SET, type="Double", value=LIMIT + 20.5)
    operator("watchAlarms")
    raised = becomes(active=True, acked=False)
    assert (raised["type"], raised["severity"], raised["retain"]) == ("ns=0;i=10060", 300, True)
    assert (raised["source"], raised["input"], raised["message"]) == ("hmi.p_set", P_SET, "Setpoint beyond the rating")
    assert operator("acknowledge", condition=raised["condition"], comment="grid asked for it")["status"] == "Good"
    assert becomes(acked=True)["by"] == "otto" and alarm()["comment"] == "grid asked for it"
    operator("leaveAlarms")
    operator("watchAlarms")  # whoever comes later is told by the ConditionRefresh
    assert becomes(active=True, acked=True)["comment"] == "grid asked for it"
    operator("write", node=P_SET, type="Double", value=0.0)
    becomes(active=False, retain=False)
    operator("leaveAlarms")


def test_each_kind_of_alarm_shows_its_limits_and_states(operator: NodeClient) -> None:
    """Limits below a setpoint and of a fall are negative (part 9, 5.8.22.1); the others are what the programs say."""
    facts = {
        "p_set_high_h/HighLimit": LIMIT,
        "p_off_high/HighLimit": 2000.0,
        "p_off_low/LowLimit": -2000.0,
        "p_off_low/SetpointNode": P_SET,
        "cell_warming_rising/HighLimit": 0.1,
        "cell_warming_rising/SuppressedState/Id": False,
        "over_voltage_hh/HighHighLimit": 940.0,
        "over_voltage_hh/LatchedState/Id": False,
        "over_voltage_hh/SuppressedOrShelved": False,
    }
    read = operator("read", nodes=[f"ns=2;s=/alarms/{path}" for path in facts])["values"]
    assert dict(zip(facts, (value["value"] for value in read), strict=True)) == facts


def test_an_operator_shelves_an_alarm_and_a_viewer_does_not(node: NodeClient) -> None:
    """By the methods that the alarm's own ShelvingState shows; what node-opcua's alarm list then says of the alarm."""
    alarm = "ns=2;s=/alarms/p_set_high_h"

    def shelve(method: str, milliseconds: float | None = None) -> str:
        words = {} if milliseconds is None else {"milliseconds": milliseconds}
        return str(node("shelve", condition=alarm, method=method, **words)["status"])

    def becomes(**facts: Any) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next((one for one in node("alarms", condition=alarm)["alarms"] if one.items() >= facts.items()), None)

        return dict(until(found, 20, f"the alarm with {facts}"))

    node.connect(POLICIES[0], user="vera")
    assert shelve("TimedShelve", 60_000) == "BadUserAccessDenied"
    node("disconnect")
    node.connect(POLICIES[0], user="otto")
    node("watchAlarms")
    assert shelve("TimedShelve", 9 * 3_600_000) == "BadShelvingTimeOutOfRange"  # eight hours, where the program does not say
    assert shelve("Unshelve") == "BadConditionNotShelved"
    assert shelve("TimedShelve", 60_000) == "Good"
    shelved = becomes(shelved=True, shelving="TimedShelved", by="otto")
    assert 0 < shelved["left"] <= 60_000 and shelved["retain"]
    assert shelve("OneShotShelve") == "BadConditionAlreadyShelved"
    first = node("read", nodes=[f"{alarm}/ShelvingState/UnshelveTime"])["values"][0]["value"]
    assert first < shelved["left"], "it counts down"
    node("write", node=P_SET, type="Double", value=LIMIT + 20.5)
    becomes(active=True, shelved=True)  # the list may hide it; it is told all the same
    assert shelve("Unshelve") == "Good"
    becomes(active=True, acked=False, shelved=False, shelving="Unshelved")
    node("write", node=P_SET, type="Double", value=0.0)
    becomes(active=False)
    node("leaveAlarms")
    node("disconnect")


def test_it_reads_back_what_was_recorded(operator: NodeClient) -> None:
    begun = datetime.now(UTC)
    operator("write", node=P_SET, type="Double", value=44.25)

    def past() -> list[Any]:
        words = {"from": f"{begun.isoformat()}", "to": f"{(begun + timedelta(hours=1)).isoformat()}"}
        answer = operator("history", node=P_SET, **words)
        assert answer["status"] == "Good"
        return [value["value"] for value in answer["values"] if value["status"] == "Good"]

    until(lambda: 44.25 in past(), 20, "the setpoint in the history")


def test_its_subscription_lives_on_when_the_server_is_killed(operator: NodeClient, proof: Proof) -> None:
    """200 items; after the kill the client finds the new process by itself, and its items are told of again."""
    some = tags_of(operator("crawl", prune="Root/(Types|Views|Objects/(Server|DeviceSet|bessplc/demo/Alarms))$")["nodes"])[:199]
    items = ["ns=2;s=plc.scan", *(tag for tag in some if tag != "ns=2;s=plc.scan")]
    assert operator("subscribe", nodes=items) == {"items": len(items), "bad": 0} and len(items) >= 199
    first = operator.seen(items, 20)
    assert set(Counter(value["status"] for value in first.values())) <= {"Good", "UncertainLastUsableValue"}
    proof.kill("opcua")
    again = operator.seen(items, 60)  # also those that never change are told of once more
    assert again["ns=2;s=plc.scan"]["value"] > first["ns=2;s=plc.scan"]["value"], "the scan went on while its server was away"
    assert "connection_lost" in operator.happened and "connection_reestablished" in operator.happened
    assert operator.seen(items[:1], 20)[items[0]]["value"] > again[items[0]]["value"], "values flow on"
    assert operator("write", node=P_SET, type="Double", value=1.5)["status"] == "Good"
