"""The API's description: OpenAPI with our refusals and logins in it, and a page of it for people. It knows no tag."""

from __future__ import annotations

from html import escape
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel

from runtime.servers.rest.problems import PROBLEM_JSON
from runtime.servers.rest.shapes import Problem

WHY = {
    400: "The request cannot be read.",
    401: "No user, or a wrong token or password.",
    403: "The user's role is too low, or nobody may do this.",
    404: "There is no such thing.",
    409: "Not now: local control, a stopped scan, or an alarm that has changed.",
    413: "The request is too large.",
    415: "The body is not `application/json`.",
    422: "A value of the wrong type, out of range, or not finite.",
    503: "No scan is running, too many commands wait for it, or the records cannot be read.",
    504: "The scan did not answer in time. It may still take the command.",
}
_ABOUT = """Tags, alarms, devices and statistics of a site; writes answer when the scan has taken the value, and say in which scan.
All values of one answer are of one scan. Roles: viewer, operator, engineer, admin; each may do what those before it may.
Names of tags stand in addresses URL-encoded: `rack[1].soc` is `rack%5B1%5D.soc`. Whole numbers of LINT and TIME exceed 2**53."""
_STYLE = "body{font:16px sans-serif;max-width:60em;margin:2em auto}td,th{padding:.3em .8em;text-align:left;vertical-align:top}"


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The description of these refusals, and of those that every route knows."""
    shape = {"schema": {"$ref": "#/components/schemas/Problem"}}
    return {n: {"description": WHY[n], "content": {PROBLEM_JSON: shape}} for n in sorted({400, 401, 422, *statuses})}


def body(shape: type[BaseModel]) -> dict[str, Any]:
    """The description of a request's body."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": shape.model_json_schema()}}}}


def describe(app: FastAPI, version: str, open_paths: tuple[str, ...]) -> dict[str, Any]:
    """The OpenAPI document; `open_paths` need no login."""
    document = get_openapi(title="bessplc", version=version, description=_ABOUT, routes=app.routes)
    parts = document.setdefault("components", {})
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}, "password": {"type": "http", "scheme": "basic"}}
    document["security"] = [{"token": []}, {"password": []}]
    for path in open_paths:
        for operation in document["paths"].get(path, {}).values():
            operation["security"] = []
    return document


def page(document: dict[str, Any]) -> str:
    """The description as a plain page: it loads nothing from anywhere."""
    rows = []
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            asked = ", ".join(f"<code>{escape(p['name'])}</code>" for p in told.get("parameters", ()))
            answers = ", ".join(told["responses"])
            cells = (f"<b>{method.upper()}</b>", f"<code>{escape(path)}</code>", escape(told.get("summary", "")), asked, answers)
            rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{word}</th>" for word in ("", "address", "what", "asked", "answers"))
    about = escape(document["info"]["description"])
    table = f"<table><tr>{head}</tr>{''.join(rows)}</table>"
    title = "<!doctype html><html lang=en><meta charset=utf-8><title>bessplc</title>"
    return (
        f"{title}<style>{_STYLE}</style><h1>bessplc</h1><p>{about}</p>{table}<p><a href=/openapi.json>openapi.json</a></p></html>"
    )
