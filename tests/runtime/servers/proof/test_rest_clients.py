"""HTTP clients at the demo: curl with a token over TLS, Prometheus' own parser where it is installed, Python's http.client.

What they said is in build/transcripts/rest.txt.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
from collections.abc import Callable
from typing import Any

import pytest

from tests.aids.servers_proof import Proof, Transcript, run

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
SAMPLE = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*(\{[^{}]*\})? (NaN|[+-]Inf|[-+0-9.e]+)( \d+)?\Z")
Curl = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def transcript() -> Transcript:
    return Transcript("rest", "curl and http.client")


@pytest.fixture(scope="module")
def curl(proof: Proof, transcript: Transcript) -> Curl:
    """curl that trusts this site's certificate; the status and the body. Without a user it sends no token."""

    def call(path: str, *words: str, user: str = "") -> tuple[int, str]:
        token = proof.tokens.get(user, "")
        sign = ["-H", f"Authorization: Bearer {token}"] if user else []
        url = f"https://localhost:{proof.rest}{path}"
        command = ["curl", "-sS", "--cacert", proof.certificate, *sign, *words, "-w", "\n%{http_code}", url]
        body, _, code = run(transcript, *command, shown=token).stdout.rpartition("\n")
        return int(code), body

    return call


@needs_curl
def test_curl_reads_and_writes_as_far_as_the_token_goes(curl: Curl) -> None:
    code, body = curl("/api/v1/tags/bms.soc", user="vera")
    assert code == 200 and 0 <= json.loads(body)["tag"]["value"] <= 100
    write = ["-X", "PUT", "-H", "Content-Type: application/json", "-d"]
    assert curl("/api/v1/tags/hmi.p_set", *write, '{"value": 21.5}', user="otto")[0] == 200
    assert json.loads(curl("/api/v1/tags/hmi.p_set", user="vera")[1])["tag"]["value"] == 21.5
    assert curl("/api/v1/tags/hmi.p_set", *write, '{"value": 2.5}', user="vera")[0] == 403
    assert curl("/api/v1/tags/hmi.p_set", *write, '{"value": 2.5}')[0] == 401
    code, problem = curl("/api/v1/tags/hmi.p_set", *write, '{"value": 999}', user="otto")
    assert code == 422 and json.loads(problem)["reason"] == "out-of-range"
    assert json.loads(curl("/api/v1/tags/hmi.p_set", user="vera")[1])["tag"]["value"] == 21.5


@needs_curl
def test_curl_trusts_nobody_else(proof: Proof, transcript: Transcript) -> None:
    done = run(transcript, "curl", "-sS", f"https://localhost:{proof.rest}/health")
    assert done.returncode == 60, "without the site's certificate it is a stranger's"


@needs_curl
def test_the_metrics_are_prometheus_text(curl: Curl) -> None:
    code, text = curl("/metrics", user="vera")
    lines = [line for line in text.splitlines() if line]
    assert code == 200 and len(lines) > 100
    assert [line for line in lines if not line.startswith("# ") and not SAMPLE.match(line)] == []
    kinds = [line.split()[2] for line in lines if line.startswith("# TYPE ")]
    assert len(kinds) == len(set(kinds)), "each metric is declared once"
    assert curl("/metrics")[0] == 401


def test_http_client_keeps_its_connection_and_reads_the_description(proof: Proof, transcript: Transcript) -> None:
    context = ssl.create_default_context(cafile=str(proof.certificate))
    connection = http.client.HTTPSConnection("localhost", proof.rest, timeout=20, context=context)
    token = {"Authorization": f"Bearer {proof.tokens['vera']}"}

    def get(path: str, **headers: str) -> tuple[int, Any]:
        connection.request("GET", path, headers=token | headers)
        answer = connection.getresponse()
        body = answer.read()
        transcript.note(f"\nhttp.client GET {path}: {answer.status}", body[:500].decode(errors="replace"))
        return answer.status, json.loads(body)

    assert get("/health/live")[0] == 200
    first = connection.sock
    code, description = get("/openapi.json")
    assert code == 200 and description["openapi"].startswith("3.") and "/api/v1/tags/{name}" in description["paths"]
    assert get("/api/v1/alarms")[0] == 200 and get("/api/v1/tags/nix")[0] == 404
    assert connection.sock is first, "one connection for all"
    connection.close()
