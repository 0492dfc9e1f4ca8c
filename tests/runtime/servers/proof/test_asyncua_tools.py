"""asyncua's command line tools at the demo, over Basic256Sha256 with a password: what whoever commissions types.

What they said is in build/transcripts/asyncua-tools.txt.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.aids.servers_proof import PASSWORD, Proof, Transcript, run

TOOLS = Path(sys.executable).parent
P_SET, COMMANDS = "ns=2;s=hmi.p_set", "ns=2;s=/commands"
Tool = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.skipif(not (TOOLS / "uals").exists(), reason="asyncua's tools are not beside this Python")


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return Transcript("asyncua-tools", "asyncua's own command line tools")


@pytest.fixture(scope="module")
def tool(proof: Proof, transcript: Transcript) -> Tool:
    """Runs a tool signed in, as the operator where nobody else is named."""

    def call(name: str, *words: str, user: str = "otto") -> subprocess.CompletedProcess[str]:
        return run(transcript, TOOLS / name, *signed_in(proof, user), *words, shown=PASSWORD)

    return call


def signed_in(proof: Proof, user: str) -> list[str]:
    certificate, key = proof.apps["cli"]
    security = f"Basic256Sha256,SignAndEncrypt,{certificate},{key},{proof.certificate_der}"
    return ["-u", proof.opcua, "--timeout", "20", "--security", security, "--user", user, "--password", PASSWORD]


def test_uadiscover_shows_every_way_in(proof: Proof, transcript: Transcript) -> None:
    said = run(transcript, TOOLS / "uadiscover", "-u", proof.opcua).stdout
    for policy in ("None", "Basic256Sha256", "Aes256_Sha256_RsaPss"):
        assert f"Security Policy URI: http://opcfoundation.org/UA/SecurityPolicy#{policy}\n" in said
    assert "bessplc demo" in said and "User policy: username" in said and "User policy: certificate" in said
    assert "Basic128" not in said and "#Basic256\n" not in said, "a policy that OPC UA has withdrawn"


def test_uals_lists_tags_with_their_values(tool: Tool) -> None:
    said = tool("uals", "-n", "ns=2;s=/bessplc/demo/bms").stdout
    assert "ns=2;s=bms.soc" in said and "2:soc" in said


def test_uaread_reads_a_value_with_its_quality_and_time_and_by_its_path(tool: Tool) -> None:
    said = tool("uaread", "-n", "ns=2;s=bms.soc", "-t", "datavalue").stdout
    assert "VariantType.Double" in said and "StatusCode(value=0)" in said and "SourceTimestamp=datetime" in said
    assert 0 <= float(tool("uaread", "-p", "0:Objects,2:bessplc,2:demo,2:bms,2:soc").stdout) <= 100


@pytest.mark.parametrize(
    ("node", "kind", "value", "user", "refusal"),
    [
        (P_SET, "double", "33.5", "otto", ""),
        (P_SET, "double", "-500.5", "otto", "BadOutOfRange"),
        (P_SET, "int32", "3", "otto", "BadTypeMismatch"),
        (P_SET, "double", "3", "vera", "BadUserAccessDenied"),
        ("ns=2;s=bms.soc", "double", "3", "otto", "BadNotWritable"),
    ],
)
def test_uawrite_is_told_whether_the_scan_took_it(tool: Tool, node: str, kind: str, value: str, user: str, refusal: str) -> None:
    done = tool("uawrite", "-n", node, "-t", kind, value, user=user)
    assert (done.returncode != 0, refusal in done.stdout) == (bool(refusal), True), done.stdout
    if not refusal:
        assert tool("uaread", "-n", node).stdout.strip() == value


def test_uacall_calls_what_the_role_may(tool: Tool) -> None:
    reset = tool("uacall", "-n", COMMANDS, "-m", "2:hmi&.reset")  # in a browse path a dot is written &. (part 4, annex A)
    assert (reset.returncode, reset.stdout.strip()) == (0, "resulting result_variants=None")
    assert "BadUserAccessDenied" in tool("uacall", "-n", COMMANDS, "-m", "2:ResetStatistics").stdout


def test_uasubscribe_prints_changes_until_it_is_stopped(proof: Proof, transcript: Transcript) -> None:
    command = [TOOLS / "uasubscribe", *signed_in(proof, "vera"), "-n", "ns=2;s=plc.scan"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=unbuffered(proof)) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        process.send_signal(signal.SIGINT)
    transcript.note("\n$ uasubscribe ... -n ns=2;s=plc.scan", *lines)
    scans = [int(line.split("value=")[1].split(",")[0]) for line in lines[1:]]
    assert scans == sorted(set(scans)), "each change once, in order"


def unbuffered(proof: Proof) -> dict[str, str]:
    return {**proof.environment, "PYTHONUNBUFFERED": "1"}


def test_uahistoryread_prints_what_was_recorded(tool: Tool) -> None:
    tool("uawrite", "-n", P_SET, "-t", "double", "77.75")
    said = ""
    for _ in range(10):  # the records look every 100 ms
        said = tool("uahistoryread", "-n", P_SET, "-l", "1000").stdout
        if " 77.75" in said:
            break
    rows = [line.split() for line in said.splitlines() if " Good " in line]
    assert rows[-1][-1] == "77.75" and [row[:2] for row in rows] == sorted(row[:2] for row in rows)


def test_uageneratestructs_reads_the_types(tool: Tool, tmp_path: Path) -> None:
    assert tool("uageneratestructs", "-n", "i=7617", "-o", str(tmp_path / "types.py")).returncode == 0
    assert "class ServerStatusDataType" in (tmp_path / "types.py").read_text()
