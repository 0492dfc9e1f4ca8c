"""The process of the HTTP API: killed and started again, another program while clients stay, a port in use, no records."""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from runtime import child
from runtime.model import Tag
from runtime.quality import BAD_NO_COMMUNICATION, GOOD
from runtime.servers.certificates_read import facts, read_certificate
from runtime.servers.rest.settings import describe_rest
from runtime.source import Report
from tests.aids.servers_process import ServerProcess, eventually, serving, telling_why_it_aborts
from tests.aids.servers_rest import RestSite, at_scan, described, raise_alarm, rest_site
from tests.aids.servers_scan import TAGS, TestScan, lay_out_region

API = "/api/v1"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSite]:
    with rest_site(tmp_path_factory.mktemp("process")) as site:
        yield site


def test_the_value_of_a_dead_sensor_hides_no_statistics(site: RestSite) -> None:
    raise_alarm(site, "cell_hot_h", value=math.nan)
    with site.client("operator") as client:
        found = client.get(f"{API}/alarms/statistics", params={"end": "2023-11-14T22:20:00Z"})
    assert (found.status_code, found.json()["alarms"]) == (200, 1)


def test_a_restarted_scan_is_found_again(site: RestSite) -> None:
    with site.client("operator") as client:
        assert client.put(f"{API}/tags/hmi.p_set", json={"value": 3}).status_code == 200
        site.scan.stop()
        assert client.put(f"{API}/tags/hmi.p_set", json={"value": 4}).status_code in (503, 504)
        site.scan.start()
        eventually(lambda: client.put(f"{API}/tags/hmi.p_set", json={"value": 5}).status_code == 200)
        assert client.get(f"{API}/tags/hmi.p_set").json()["tag"]["value"] == 5.0


def test_a_killed_server_comes_back_with_the_same_certificate(site: RestSite) -> None:
    with site.client("operator") as client:
        assert client.get(f"{API}/values").status_code == 200
        os.kill(site.server.process.pid, signal.SIGKILL)
        site.server.process.wait(10)
        with pytest.raises(httpx.TransportError):
            client.get(f"{API}/values")
    context = site.context
    with serving(site.order) as (again, port):
        token = {"authorization": f"Bearer {site.tokens['operator']}"}
        with httpx.Client(base_url=f"https://127.0.0.1:{port}", verify=context, headers=token) as client:
            told = eventually(lambda: [f for f in [client.get(f"{API}/tags/hmi.p_set").json()] if f["state"] == "running"])[0]
            assert told["tag"]["good"] is True
            assert client.put(f"{API}/tags/hmi.p_set", json={"value": 3}).status_code == 200
        assert again.process.poll() is None


def test_another_program_while_clients_stay(tmp_path: Path) -> None:
    scan = TestScan(tmp_path)
    order = scan.order("rest", tls="false", anonymous="viewer")
    process = child.begin("runtime.servers.rest", env=telling_why_it_aborts())
    child.give(process, order, more_later=True)
    try:
        status = tmp_path / "rest.json"
        eventually(status.exists, 30)
        address = httpx.Response(200, content=status.read_bytes()).json()["listening"]
        with httpx.Client(base_url=address) as client:
            assert client.get(f"{API}/tags?match=bms.*").json()["total"] == 5
            assert client.get(f"{API}/tags/new.tag").status_code == 404
            tags, region = lay_out_region((*TAGS, Tag("new.tag", "DINT", 0, 0, 0, "memory", "rpm")))
            child.give(process, replace(order, tags=tags, region=region, generation=order.generation + 1), more_later=True)
            eventually(lambda: client.get(f"{API}/tags/new.tag").status_code == 200)
            told = client.get(f"{API}/tags/new.tag").json()  # its scan does not run yet: nothing is good
            assert (told["tag"]["value"], told["tag"]["good"], told["state"]) == (None, False, "no scan")
            assert client.get("/metrics", headers={}).status_code == 200
    finally:
        assert process.stdin is not None
        process.stdin.close()
        process.terminate()
        assert process.wait(10) == 0
        scan.stop()


def test_a_site_may_have_any_name(tmp_path: Path) -> None:
    """The name stands in the certificate's URI (RFC 3986, 2.1: in UTF-8, percent-encoded)."""
    scan = TestScan(tmp_path)
    site = described(tmp_path, scan)
    try:
        with serving(replace(site.order, site="Speicher S\u00fcd")) as (_, port):
            assert httpx.get(f"https://127.0.0.1:{port}/health/live", verify=site.context).status_code == 200
        own = read_certificate(site.state / "pki" / "own" / "certificate.der")
        assert facts(own)["uris"][0].endswith(":Speicher%20S%C3%BCd")
    finally:
        scan.stop()


def test_a_port_in_use_is_said_in_words(site: RestSite, tmp_path: Path) -> None:
    with TestListener() as port:
        second = ServerProcess(replace(site.order, settings={"port": str(port), "tls": "false"}))
        assert second.process.wait(30) == 69
        assert "another program listens there" in second.log() or "cannot listen" in second.log()


def test_without_records_alarms_stand_as_the_scan_says(tmp_path: Path) -> None:
    tags = (*TAGS, Tag("alarm.door", "BOOL", 0, 0, 0, "memory"))
    scan = TestScan(tmp_path, tags)
    site = described(tmp_path, scan, tls="false")
    order = replace(site.order, state_dir="")
    with serving(order) as (_, port):
        token = {"authorization": f"Bearer {site.tokens['operator']}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=token) as client:
            scan.set("alarm.door", 1)
            told = eventually(lambda: [f for f in [client.get(f"{API}/alarms").json()] if f["active"]])[0]
            assert (told["items"][0]["name"], told["items"][0]["acknowledged"]) == ("door", None)
            assert client.post(f"{API}/alarms/door/acknowledge", json={}).json()["reason"] == "no-records"
            assert client.get(f"{API}/history/bms.soc").json()["reason"] == "no-records"
    scan.stop()


def test_an_alarm_is_told_though_nobody_records_it_and_though_the_records_cannot_be_read(site: RestSite, tmp_path: Path) -> None:
    with at_scan(tmp_path, site.scan, tls="false") as plain:
        token = {"authorization": f"Bearer {plain.tokens['engineer']}"}
        client = httpx.Client(base_url=f"http://127.0.0.1:{plain.port}", headers=token, timeout=20)

        def door() -> dict[str, Any]:
            return next(alarm for alarm in client.get(f"{API}/alarms").json()["items"] if alarm["name"] == "door")

        raise_alarm(plain, "door")
        assert client.post(f"{API}/alarms/door/acknowledge", json={"comment": "seen"}).status_code == 200
        site.scan.set("alarm.door", 0)
        assert eventually(lambda: not door()["active"]) and door()["comment"] == "seen"
        site.scan.spoil("alarm.door", BAD_NO_COMMUNICATION)
        eventually(lambda: door()["quality"] == "Bad_NoCommunication")
        assert door()["active"], "what was last recorded holds where nobody can say"
        site.scan.spoil("alarm.door", GOOD)
        eventually(lambda: not door()["active"])
        for file in plain.state.glob("*.sqlite*"):
            file.unlink()
        (plain.state / "records.sqlite").mkdir()
        (plain.state / "history.sqlite").mkdir()
        site.scan.set("alarm.door", 1)
        eventually(lambda: door()["active"])
        assert door()["acknowledged"] is None and door()["quality"] == "Good"
        for path in ("alarms/events", "audit", "history/bms.soc"):
            answer = client.get(f"{API}/{path}")
            assert (answer.status_code, answer.json()["reason"]) == (503, "records-unreadable"), "an empty list would be a lie"
        assert client.post(f"{API}/alarms/door/acknowledge", json={}).status_code == 409
        client.close()


class TestListener:
    """A port that is taken."""

    __test__ = False

    def __enter__(self) -> int:
        import socket

        self._socket = socket.create_server(("127.0.0.1", 0))
        return int(self._socket.getsockname()[1])

    def __exit__(self, *_: Any) -> None:
        self._socket.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"prot": "1"}, "E901"),
        ({"port": "70000"}, "E902"),
        ({"tls": "maybe"}, "E902"),
        ({"anonymous": "operator"}, "E902"),
        ({"metrics": "closed"}, "E902"),
        ({"tls": "false", "host": "0.0.0.0"}, "W922"),
        ({"tls": "false", "host": "127.0.0.1"}, ""),
        ({"tls": "true", "host": "0.0.0.0", "clients": "5", "idle": "5 s"}, ""),
    ],
)
def test_what_the_site_may_say(said: dict[str, str], code: str) -> None:
    report = Report()
    describe_rest(said, report)
    assert [problem.code for problem in report.problems] == ([code] if code else [])
