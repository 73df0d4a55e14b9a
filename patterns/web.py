"""A service's HTTP side: the FastAPI app with what every service has (health, journal, problems, limits).

Business routes are served at their own paths and under ``/api/v1`` as well; what operators need is not.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import FastAPI, Path, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from starlette.types import ASGIApp, Receive, Scope, Send

from patterns import journal
from patterns.health import Checkup, Health, Readiness
from patterns.leaving import leave_in_peace
from patterns.service import Service
from patterns.sql import MAX_ID
from patterns.turns import turns
from patterns.web_bodies import BodyLimit, Router
from patterns.web_openapi import PREFIX, Documented
from patterns.web_parked import parked_routes
from patterns.web_problems import answer_errors, unavailable

__all__ = ["Name", "PathId", "Router", "Text", "body", "create_app", "location"]

PathId = Annotated[int, Path(ge=1, le=MAX_ID, examples=[1])]
"""A user's or product's id in a path."""

ALWAYS_ANSWERED = ("/healthz", "/readyz")


VISIBLE = r"[^\x00-\x20\x7f-\xa0\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]"
"""A character one can see: no control, no blank of any width.  Spelt out, as every regular expression engine reads it."""


def _storable(text: str) -> str:
    """PostgreSQL stores no NUL, and a name of blanks is none; half a surrogate pair never comes this far."""
    if "\0" in text or not re.search(VISIBLE, text):
        raise ValueError("must hold visible text, and no NUL")
    return text


Text = Annotated[str, AfterValidator(_storable), Field(json_schema_extra={"pattern": f"^[^\\x00]*{VISIBLE}[^\\x00]*$"})]

Name = Annotated[Text, Field(min_length=1, max_length=200)]
"""What somebody or something is called."""


def body(example: dict[str, Any]) -> ConfigDict:
    """Configures the model of a request's body: no fields but its own, and what one may look like."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


def _example(**values: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [values]})


class JournalEntry(BaseModel):
    """One message a service heard or said about an order."""

    model_config = _example(
        at=1795262400.25, service="order", direction="said", type="OrderPlaced", mode="topic", where="topic order.placed",
        other=None, handler=None, message_id="0d9e2f4a-6b1c-5d8e-8f3a-7c5b1e2d4f60", sent=True,
    )

    at: float
    service: str
    direction: str
    type: str
    mode: str
    where: str
    other: str | None
    handler: str | None
    message_id: UUID
    sent: bool | None


def create_app(service: Service, description: str, *routers: Router) -> FastAPI:
    """The app of one service: its own routes, ``/healthz``, ``/readyz`` and ``/messages``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_sync(service.start)
        app.state.turns = turns()
        yield
        if await run_sync(service.stop):
            leave_in_peace()

    app = Documented(
        title=f"Orderflow: {service.name}", description=description, lifespan=lifespan, redirect_slashes=False,
        servers=[{"url": "/"}, {"url": PREFIX, "description": "the same, without what operators need"}],
    )
    app.state.service = service
    app.include_router(_common_routes(service))
    app.include_router(parked_routes(service))
    for router in routers:
        app.include_router(router)
        app.include_router(router, prefix=PREFIX, include_in_schema=False)
    answer_errors(app)
    app.add_middleware(NotBeforeStarted, service=service)
    app.add_middleware(BodyLimit)
    return app


def location(request: Request, made: object) -> dict[str, str]:
    """The header that says where what was made is, under the prefix that the client uses."""
    return {"Location": f"{request.url.path}/{made}"}


class NotBeforeStarted:
    """ASGI middleware: until the service has started, only its health is answered, and all else 503."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say what is missing."""
        trouble = self.service.trouble
        if scope["type"] == "http" and trouble is not None and scope["path"] not in ALWAYS_ANSWERED:
            await unavailable(trouble)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _common_routes(service: Service) -> Router:
    router, health = Router(tags=["operations"]), Checkup(service)
    here = {"servers": [{"url": "/"}]}

    @router.get("/healthz", openapi_extra=here)
    async def healthz() -> Health:  # without a thread: alive also when all of them wait
        """Whether the process is alive."""
        return Health(service=service.name)

    @router.get("/readyz", openapi_extra=here, response_model_exclude_none=True, responses={
        503: {"model": Readiness, "description": "Some part is not ready; the body says which."},
    })
    def readyz(response: Response) -> Readiness:
        """Whether every part works: database, voice (publishing), ears (each queue's consumer)."""
        found = health.look()
        response.status_code = 503 if found.troubles else 200
        return found

    @router.get("/messages", openapi_extra=here)
    def messages(order_id: Annotated[UUID, Query()]) -> list[JournalEntry]:
        """What this service heard and said about an order, in time."""
        rows = service.database.read(journal.messages, order_id, service.name)
        return [JournalEntry.model_validate(row) for row in rows]

    return router
