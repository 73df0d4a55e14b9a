"""A service's HTTP side: the FastAPI app with what every service has (health, journal, plain errors)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import UUID

from anyio.to_thread import run_sync
from fastapi import APIRouter, FastAPI, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, BaseModel

from patterns import journal
from patterns.errors import Conflict, KeyReused, NotFound, ServerUnavailable
from patterns.service import Service
from patterns.shop import MAX_ID

PathId = Annotated[int, Path(ge=1, le=MAX_ID)]
"""A user's or product's id in a path."""


def _storable(text: str) -> str:
    """PostgreSQL stores neither NUL nor half a surrogate pair, and a name of blanks is none."""
    if "\0" in text or any("\ud800" <= char <= "\udfff" for char in text) or not text.strip():
        raise ValueError("must hold visible text, and no NUL")
    return text


Text = Annotated[str, AfterValidator(_storable)]


class JournalEntry(BaseModel):
    """One message a service heard or said about an order."""

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


def create_app(service: Service, router: APIRouter, description: str) -> FastAPI:
    """The app of one service: its own routes, ``/healthz``, ``/readyz`` and ``/messages``."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await run_sync(service.start)
        yield
        await run_sync(service.stop)

    app = FastAPI(title=f"Orderflow: {service.name}", description=description, lifespan=lifespan)
    app.include_router(_common_routes(service))
    app.include_router(router)
    app.add_exception_handler(ServerUnavailable, _unavailable)
    app.add_exception_handler(RequestValidationError, _invalid)
    for error, status in ((NotFound, 404), (Conflict, 409), (KeyReused, 422)):
        app.add_exception_handler(error, _refusal(status))
    app.state.service = service

    @app.middleware("http")
    async def not_before_started(request: Request, follow: Callable[[Request], Awaitable[Response]]) -> Response:
        if service.trouble is not None and request.url.path not in ("/healthz", "/readyz"):
            return _unavailable(request, ServerUnavailable(service.trouble))
        return await follow(request)

    return app


def _unavailable(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"{error}  Try again in a moment."}, 503, {"Retry-After": "1"})


def _invalid(_: Request, error: Exception) -> Response:
    """What is wrong with a request, and where; its own words are not repeated, they may be unprintable."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 (registered for nothing else)
    found = [{"loc": one["loc"], "msg": one["msg"], "type": one["type"]} for one in error.errors()]
    return Response(json.dumps({"detail": found}), 422, media_type="application/json")


def _refusal(status: int) -> Callable[[Request, Exception], JSONResponse]:
    return lambda _, error: JSONResponse({"detail": str(error)}, status)


def _common_routes(service: Service) -> APIRouter:
    router = APIRouter(tags=["operations"])

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        """Whether the process is alive."""
        return {"status": "ok", "service": service.name}

    @router.get("/readyz", responses={503: {"description": "Some part is not ready; the body says which."}})
    def readyz() -> JSONResponse:
        """Whether every part works: database, voice (publishing), ears (consuming)."""
        troubles = service.troubles()
        body: dict[str, Any] = {"status": "ready" if not troubles else "not ready", "troubles": troubles}
        if not troubles:
            body["counts"] = dict(service.listener.counts)
        return JSONResponse(body, 200 if not troubles else 503)

    @router.get("/messages")
    def messages(order_id: Annotated[UUID, Query()]) -> list[JournalEntry]:
        """What this service heard and said about an order, in time."""
        rows = service.database.read(journal.messages, order_id, service.name)
        return [JournalEntry.model_validate(row) for row in rows]

    return router
