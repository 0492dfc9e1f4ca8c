"""The API does what its description says: schemathesis makes requests of every kind from our own /openapi.json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from tests.aids.servers_rest import RestSite, raise_alarm, rest_site

# 422 for a value that only its tag's type and range forbid is no mistake of the description: positive_data_acceptance is left out
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    response_headers_conformance,
    negative_data_rejection,
    ignored_auth,
    unsupported_method,
]
OPERATIONS = [
    ("GET", "/api/v1/tags"),
    ("GET", "/api/v1/tags/{name}"),
    ("PUT", "/api/v1/tags/{name}"),
    ("GET", "/api/v1/values"),
    ("GET", "/api/v1/alarms"),
    ("GET", "/api/v1/alarms/events"),
    ("GET", "/api/v1/alarms/statistics"),
    ("POST", "/api/v1/alarms/{name}/acknowledge"),
    ("POST", "/api/v1/alarms/{name}/confirm"),
    ("POST", "/api/v1/alarms/{name}/shelve"),
    ("POST", "/api/v1/alarms/{name}/unshelve"),
    ("GET", "/api/v1/devices"),
    ("GET", "/api/v1/statistics"),
    ("GET", "/api/v1/history/{tag}"),
    ("GET", "/api/v1/audit"),
    ("GET", "/health"),
    ("GET", "/health/live"),
    ("GET", "/metrics"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RestSite]:
    with rest_site(tmp_path_factory.mktemp("schema")) as site:
        raise_alarm(site, "door")
        yield site


@pytest.fixture(scope="module")
def document(site: RestSite) -> dict[str, Any]:
    with site.client("admin") as client:
        found: dict[str, Any] = client.get("/openapi.json").json()
        return found


def test_every_operation_is_asked(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    assert described == {*OPERATIONS, ("GET", "/api/v1/events")}  # a stream has no end: tested by itself


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_operation(site: RestSite, document: dict[str, Any], method: str, path: str) -> None:
    url = f"https://127.0.0.1:{site.port}"
    operation = schemathesis.openapi.from_dict(document)[path][method]
    certificate = site.state / "pki" / "own" / "shown.pem"
    headers = {"Authorization": f"Bearer {site.tokens['admin']}"}
    right, wrong = (operation.as_strategy(mode) for mode in GenerationMode)

    @settings(max_examples=8, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(right | wrong)
    def ask(case: Any) -> None:
        case.call_and_validate(base_url=url, session=session, headers=headers, verify=str(certificate), checks=CHECKS)

    with requests.Session() as session:
        ask()
