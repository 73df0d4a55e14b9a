"""What clients are told when something is wrong: ``application/problem+json`` (RFC 9457), for every error there is.

Internal words stay inside: a surprise is logged with its trace, and the client gets the number it is logged under.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.routing import Match

from patterns.errors import Conflict, Gone, KeyReused, NotFound, ServerUnavailable
from patterns.logs import get_logger

PROBLEM_JSON = "application/problem+json"

STATUS = {NotFound: 404, Conflict: 409, Gone: 410, KeyReused: 422, ServerUnavailable: 503}
"""What each of our errors means to a client."""

PLAIN_WORDS = {
    404: "There is nothing at this path; /docs lists what there is.",
    405: "This path does not know this method; the header Allow says which it knows.",
}

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
MOST_ERRORS = 20


class Fault(BaseModel):
    """One thing that is wrong with a request: where (for a body also as a JSON pointer), and what."""

    loc: list[str | int]
    pointer: str | None = None
    msg: str


class Problem(BaseModel):
    """Why a request was not done (RFC 9457); ``errors`` names each fault of a request that makes no sense."""

    model_config = ConfigDict(json_schema_extra={"examples": [{
        "type": "about:blank", "title": "Unprocessable Content", "status": 422,
        "detail": "body.quantity: Input should be greater than or equal to 1",
        "errors": [{"loc": ["body", "quantity"], "pointer": "#/quantity",
                    "msg": "Input should be greater than or equal to 1"}],
    }]})

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str | None = Field(default=None, description="what an unforeseen error is logged under")
    errors: list[Fault] | None = None


TITLES = {413: "Content Too Large", 422: "Unprocessable Content"}  # RFC 9110's names; Python 3.11 has older ones


def title_of(status: int) -> str:
    """The name of a status, as RFC 9110 has it."""
    return TITLES.get(status) or HTTPStatus(status).phrase


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:
    """An answer that says what is wrong."""
    told = Problem(title=title_of(status), status=status, detail=detail, **more).model_dump(exclude_none=True)
    # In ASCII, since a client's own words may stand in it, and these need not be encodable.
    return Response(json.dumps(told), status, dict(headers or {}), PROBLEM_JSON)


def unavailable(why: object) -> Response:
    """Something we need is away: not the client's fault, and soon over."""
    return problem(503, f"{why}  Try again in a moment.", {"Retry-After": "1"})


def answer_errors(app: FastAPI) -> None:
    """Let this app answer every error as a problem."""
    for error in STATUS:
        app.add_exception_handler(error, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _surprise)


# -- handlers are coroutines since they wait for nothing: a thread for each would cost more than they do


async def _ours(_: Request, error: Exception) -> Response:
    status = next(status for kind, status in STATUS.items() if isinstance(error, kind))
    return unavailable(error) if status == 503 else problem(status, str(error))


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (registered for nothing else)
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
    plain = error.detail == HTTPStatus(error.status_code).phrase
    return problem(error.status_code, PLAIN_WORDS.get(error.status_code, error.detail) if plain else error.detail, headers)


async def _invalid(_: Request, error: Exception) -> Response:
    """What is wrong with a request, and where; its own values are not repeated, they may be unprintable."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for nothing else)
    found = error.errors()
    faults = [_fault(one["loc"], one["msg"]) for one in found[:MOST_ERRORS]]
    first = f"{'.'.join(str(part) for part in faults[0].loc)}: {faults[0].msg}"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return problem(422, first + more, errors=faults)


async def _surprise(request: Request, error: Exception) -> Response:
    number = uuid4().urn
    service = getattr(getattr(request.app.state, "service", None), "name", "web")
    get_logger(service).error(
        "%s %s failed (%s): %s", request.method, request.url.path, number, type(error).__name__,
        exc_info=error, extra={"action": "failed", "instance": number},
    )
    told = f"Something went wrong here, not with you.  It is logged as {number}."
    # The server closes the connection after an error it did not expect; who is not told might use it once more.
    return problem(500, told, {"Connection": "close"}, instance=number)


def _allowed(request: Request) -> list[str]:
    """Every method this path knows; the router names only those of the first route that fits."""
    routes = request.app.router.routes
    return [
        method for method in METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _fault(loc: tuple[Any, ...], msg: str) -> Fault:
    parts = [part if isinstance(part, int) else str(part)[:100] for part in loc]
    path = [quote(str(part).replace("~", "~0").replace("/", "~1"), safe="~") for part in parts[1:]]
    pointer = "#" + "".join(f"/{part}" for part in path) if parts[:1] == ["body"] else None
    return Fault(loc=parts, pointer=pointer, msg=msg.removeprefix("Value error, "))
