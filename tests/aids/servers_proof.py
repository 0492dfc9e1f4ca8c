"""The demo site with every server, users of every kind and a serial line, for clients that we did not write; and what they said."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from pymodbus.client import ModbusTcpClient

from runtime.rundir import state_folder_of
from runtime.servers.certificates import Certificates
from runtime.servers.users import add_certificate, add_token
from tests.aids.servers_modbus_serial import SerialWire
from tests.aids.servers_modbus_tls import Badge, make_badge
from tests.aids.servers_pki import Made, made
from tests.aids.servers_users import write_users
from tests.aids.site import ROOT, RunningSite, copy_site, free_ports, started, until

CLIENTS = ROOT / "tests" / "clients"
TRANSCRIPTS = ROOT / "build" / "transcripts"
PASSWORD = "volt-ampere-9"
PEOPLE = {"vera": "viewer", "otto": "operator", "emma": "engineer"}
LIMIT = 300.0  # kW: an alarm on the setpoint, which this copy has and the demo has not
ALARMS = f"""\
  p_set_high: {{of: hmi.p_set, H: {LIMIT:g} kW, deadband: 1 kW, severity: warning, text: Setpoint beyond the rating}}
  p_off: {{of: pcs.p, setpoint: hmi.p_set, deviation: 2000 kW, severity: warning, text: Power far from its setpoint}}
"""
UNIT = 5
CLI_URI = "urn:example.org:FreeOpcUa:opcua-asyncio"  # what asyncua calls itself
NODE_URI = "urn:bessplc:node-opcua"


class Transcript:
    """What a client was told and what it said, in build/transcripts."""

    def __init__(self, name: str, title: str):
        TRANSCRIPTS.mkdir(parents=True, exist_ok=True)
        self.path = TRANSCRIPTS / f"{name}.txt"
        self.path.write_text(f"# {title}\n")

    def note(self, *lines: str) -> None:
        with self.path.open("a") as file:
            file.writelines(f"{line.rstrip()}\n" for line in lines)


@dataclass
class Proof:
    """The running site. `badges` are certificates for Modbus/TLS, `tokens` those of the HTTP API, by user."""

    site: RunningSite
    wire: SerialWire
    badges: dict[str, Badge]
    apps: dict[str, tuple[Path, Path]]
    tokens: dict[str, str]
    rest: int
    tls: int

    @property
    def opcua(self) -> str:
        return f"opc.tcp://127.0.0.1:{self.site.opcua}/bessplc"

    @property
    def modbus(self) -> int:
        return self.site.modbus

    @property
    def certificate(self) -> Path:
        """The site's own certificate, as its people would carry it to a client."""
        return self.state / "pki" / "own" / "certificate.pem"

    @property
    def certificate_der(self) -> Path:
        return self.certificate.with_suffix(".der")

    @property
    def state(self) -> Path:
        return _state_of(self.site.root, self.site.run_base.parent)

    @property
    def environment(self) -> dict[str, str]:
        """What a verb needs to find this site."""
        return {**os.environ, "BESSPLC_RUN": str(self.site.run_base), "XDG_STATE_HOME": str(self.site.run_base.parent / "state")}

    def trusting(self) -> ssl.SSLContext:
        """TLS that believes this site and no other."""
        return ssl.create_default_context(cafile=str(self.certificate))

    def kill(self, server: str) -> None:
        """Kill a server's process as a crash would, and wait until the supervisor has another that listens."""
        before = self.site.pid_of(f"runtime.servers.{server}")
        os.kill(before, signal.SIGKILL)
        until(lambda: self.site.status(server).get("pid", before) != before, 60, f"another {server}")


@contextlib.contextmanager
def proof_site(folder: Path) -> Iterator[Proof]:
    """The demo, listening every way that it can; ended on the way out."""
    root, ports = copy_site(folder / "demo")
    rest, tls = free_ports(2)
    wire = SerialWire()
    tokens, apps, badges = _let_in(root, folder)
    _describe(root, ports, wire.far, rest, tls)
    try:
        with started(root, ports, folder, "--sim") as site:
            for server in ("opcua", "modbus", "rest", "records"):
                until(lambda server=server: site.status(server), 120, f"{server} runs: {site.log_path.read_text()[-2000:]}")
            with ModbusTcpClient("127.0.0.1", port=site.modbus) as scada:
                until(lambda: scada.read_discrete_inputs(5).bits[0], 60, "the key switch of the panel stands on remote")
            yield Proof(site, wire, badges, apps, tokens, rest, tls)
    finally:
        wire.close()


def _describe(root: Path, ports: list[int], serial: str, rest: int, tls: int) -> None:
    """Give the copy all servers, and an alarm that a client can raise."""
    servers = f"""servers:
  opcua: {{port: {ports[0]}, anonymous: viewer, every: 50 ms}}
  modbus:
    port: {ports[1]}
    map: io_maps/scada.yaml
    tls: {{port: {tls}, clients: required}}
    serial: {{port: {serial}, unit: {UNIT}, role: operator}}
    write: {{127.0.0.1: operator}}
  rest: {{port: {rest}}}
  records: {{history: [hmi.p_set, "bms.*"], every: 100 ms}}
"""
    path = root / "config/site.yaml"
    path.write_text(re.sub(r"(?ms)^servers:.*", servers, path.read_text()))
    program = root / "programs/protection.yaml"
    program.write_text(re.sub(r"(?m)^alarms:.*\n", lambda found: found[0] + ALARMS, program.read_text(), count=1))


def _let_in(root: Path, folder: Path) -> tuple[dict[str, str], dict[str, tuple[Path, Path]], dict[str, Badge]]:
    """Users with passwords, tokens and certificates, and the applications that the site trusts."""
    users = write_users(root / "config", **{name: (role, PASSWORD) for name, role in PEOPLE.items()})
    tokens = {name: add_token(users, name, 1) for name in PEOPLE}
    pki = Certificates(_state_of(root, folder) / "pki")
    known: dict[str, Made] = {
        "cli": made("asyncua", uri=CLI_URI),
        "node": made("node-opcua", uri=NODE_URI, number=1),
        "emma": made("emma", number=2),
    }
    apps = {name: one.write(folder, name) for name, one in known.items()}
    badges = {name: make_badge(folder, f"badge_{name}", role) for name, role in (("scada", "operator"), ("screen", "viewer"))}
    badges["stranger"] = make_badge(folder, "badge_stranger", "admin")
    for der in (known["cli"].der, known["node"].der, badges["scada"].der, badges["screen"].der):
        pki.trust(der)
    add_certificate(users, "emma", apps["emma"][0])
    return tokens, apps, badges


def _state_of(root: Path, folder: Path) -> Path:
    """Where the site of this root keeps what outlives it, with the environment that `started` gives it."""
    with mock.patch.dict(os.environ, {"BESSPLC_RUN": str(folder / "run"), "XDG_STATE_HOME": str(folder / "state")}):
        return state_folder_of(root / "config/site.yaml")


def run(transcript: Transcript, *command: str | Path, shown: str = "", timeout: float = 60) -> subprocess.CompletedProcess[str]:
    """Run a client and put what it said into the transcript, without the password or token that `shown` hides."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=timeout)
    words = [Path(word).name if "/" in str(word) and Path(word).exists() else str(word) for word in command]
    line = " ".join(words)
    transcript.note(f"\n$ {line.replace(shown, '***') if shown else line}", done.stdout, done.stderr, f"[{done.returncode}]")
    return done


def missing_node() -> str:
    """Why node-opcua cannot run here, and what to do; empty where it can."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "no node and npm here: install Node.js 20 or newer for the tests with node-opcua"
    if not (CLIENTS / "node_modules" / "node-opcua").is_dir():
        command = ["npm", "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=CLIENTS, capture_output=True, text=True, timeout=300)
        if done.returncode:
            return f"npm ci in tests/clients failed: {done.stderr.strip().splitlines()[-1:]}"
    return ""


class NodeClient:
    """node-opcua's client in a process of its own, for this site; each call is one deed of opcua_proof.js."""

    def __init__(self, proof: Proof):
        self.proof = proof
        self.happened: list[str] = []
        self._transcript = Transcript(
            "node-opcua", "node-opcua's client, told and answering in JSON (tests/clients/opcua_proof.js)"
        )
        self._process = subprocess.Popen(
            ["node", str(CLIENTS / "opcua_proof.js")],
            env={**os.environ, "NODE_ENV": "production"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> NodeClient:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def __call__(self, do: str, *, fails: bool = False, **words: Any) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        told = json.dumps({"do": do, **words})
        self._process.stdin.write(told + "\n")
        self._process.stdin.flush()
        said = self._process.stdout.readline()
        self._transcript.note(f"> {_short(told.replace(PASSWORD, '***'))}", f"< {_short(said)}")
        answer: dict[str, Any] = json.loads(said)
        assert fails == ("error" in answer), f"{do}: {said}"
        return answer

    def connect(
        self, policy: str, *, user: str, password: str = PASSWORD, app: str = "node", fails: bool = False
    ) -> dict[str, Any]:
        """Sign in, encrypted, trusting this site's certificate alone; emma has a certificate, others a password."""
        certificate, key = (str(path) for path in self.proof.apps[app])
        person: dict[str, str] = {"name": user}
        if user == "emma":
            person |= dict(zip(("certificate", "key"), map(str, self.proof.apps["emma"]), strict=True))
        else:
            person["password"] = password
        words = {"url": self.proof.opcua, "policy": policy, "mode": "SignAndEncrypt", "certificate": certificate, "key": key}
        return self("connect", fails=fails, uri=NODE_URI, server=str(self.proof.certificate_der), user=person, **words)

    def seen(self, items: list[str], seconds: float) -> dict[str, Any]:
        """The newest value of each of these items, once all have come."""
        found: dict[str, Any] = {}

        def all_came() -> bool:
            told = self("seen")
            found.update(told["values"])
            self.happened += told["happened"]
            return found.keys() >= set(items)

        until(all_came, seconds, f"values of {len(items)} items")
        return found


def _short(line: str) -> str:
    line = line.strip()
    return line if len(line) <= 2_000 else f"{line[:2_000]} ... ({len(line)} characters)"
