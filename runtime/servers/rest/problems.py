"""What a client is told when something is refused: RFC 9457 problem details, and JSON answers. It knows no tag."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

PROBLEM_JSON = "application/problem+json"
_NAMES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110; Python 3.11 knows the older ones


class ProblemError(Exception):
    """A request that is refused: the HTTP status, the reason as one word for programs, and in words for people."""

    def __init__(self, status: int, reason: str, detail: str, headers: dict[str, str] | None = None, **more: Any):
        super().__init__(detail)
        self.status, self.reason, self.detail, self.headers, self.more = status, reason, detail, headers or {}, more


def answer(found: Any) -> Response:
    """A JSON answer. What is not a finite number becomes null: JSON has no word for it."""
    return Response(orjson.dumps(found, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")


def body_of(problem: ProblemError) -> bytes:
    """The problem as `application/problem+json`."""
    title = _NAMES.get(problem.status) or HTTPStatus(problem.status).phrase
    words = {"type": "about:blank", "title": title, "status": problem.status, "detail": problem.detail, "reason": problem.reason}
    return orjson.dumps({**words, **problem.more})


def response_of(problem: ProblemError) -> Response:
    return Response(body_of(problem), problem.status, problem.headers, PROBLEM_JSON)


def tell_problems(app: FastAPI) -> None:
    """Have every refusal of this application told as a problem."""
    app.add_exception_handler(ProblemError, told)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _bug)


async def told(_: Request, error: Any) -> Response:
    """A refusal as an application answers it, for its `add_exception_handler`."""
    return response_of(error)


def faults_of(error: RequestValidationError) -> list[dict[str, str]]:
    """Where in the request each mistake is, and what was expected there."""
    return [{"at": ".".join(map(str, fault["loc"])), "expected": str(fault["msg"])} for fault in error.errors()[:20]]


def invalid(error: RequestValidationError) -> ProblemError:
    """The request is not what the API's description says."""
    faults = faults_of(error)
    detail = "; ".join(f"{fault['at']}: {fault['expected']}" for fault in faults[:3])
    return ProblemError(422, "invalid-request", detail, errors=faults)


async def _invalid(_: Request, error: Any) -> Response:
    return response_of(invalid(error))


async def _http(_: Request, error: Any) -> Response:
    words = {404: ("not-found", "there is nothing at this address; /openapi.json lists what there is")}
    reason, detail = words.get(error.status_code, ("http", str(error.detail)))
    return response_of(ProblemError(error.status_code, reason, detail, dict(error.headers or {})))


async def _bug(_: Request, __: Exception) -> Response:
    return response_of(ProblemError(500, "internal-error", "a mistake of ours; the log of the process `rest` has the details"))
