"""What clients send, looked at before anything else does: not too much, JSON, and of one meaning."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial, wraps
from inspect import iscoroutinefunction
from typing import Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from patterns import strict_json
from patterns.message import MAX_BYTES
from patterns.web_problems import problem

TOO_LARGE = f"At most {MAX_BYTES} bytes are read."


class BodyLimit:
    """ASGI middleware: a body of more than 64 KiB is answered 413, read no further than to know it.

    An announced size is believed; without one the bytes are counted as they come.  The connection is closed, since the
    rest of the body would have to be read to use it again.
    """

    def __init__(self, app: ASGIApp, most: int = MAX_BYTES) -> None:
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced[:20]) > self.most:
            await problem(413, TOO_LARGE, {"Connection": "close"})(scope, receive, send)
            return
        read = 0

        async def counted() -> Message:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self.most:
                raise HTTPException(413, TOO_LARGE, {"Connection": "close"})
            return message

        await self.app(scope, counted, send)


class StrictRequest(Request):
    """A request whose body is read by :mod:`patterns.strict_json`."""

    async def json(self) -> Any:
        """The body's value.  Raises HTTPException 400 for what is no plain JSON."""
        try:
            return strict_json.loads(await self.body())
        except ValueError as error:
            raise HTTPException(400, str(error)) from None


class StrictRoute(APIRoute):
    """A route that takes ``application/json``, read strictly, and each query parameter once; 415 and 422 to all else."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint if iscoroutinefunction(endpoint) else in_a_thread(endpoint), **options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's own handler, given a stricter request."""
        handle, takes_body, known = super().get_route_handler(), self.body_field is not None, _query_names(self.dependant)

        async def strictly(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            for name in known & request.query_params.keys():
                if len(request.query_params.getlist(name)) > 1:
                    raise HTTPException(422, f"query.{name} is given more than once; which is meant?")
            if takes_body and await strict.body():
                _must_be_json(strict.headers)
            return await handle(strict)

        return strictly


class Router(APIRouter):
    """A service's router: FastAPI's, with :class:`StrictRoute` for every route."""

    def __init__(self, **options: Any) -> None:
        super().__init__(route_class=StrictRoute, **options)


def in_a_thread(endpoint: Callable[..., Any]) -> Callable[..., Coroutine[Any, Any, Any]]:
    """The endpoint, in one of the threads.  FastAPI would go to a thread once more, to look at what it answered."""

    @wraps(endpoint)
    async def answered(**given: Any) -> Any:
        return await run_sync(partial(endpoint, **given))

    return answered


def _query_names(dependant: Dependant) -> set[str]:
    return {field.alias for field in dependant.query_params}.union(*map(_query_names, dependant.dependencies))


def _must_be_json(headers: Headers) -> None:
    kind = headers.get("content-type", "").split(";")[0].strip().lower()
    if kind != "application/json":
        said = f"not {ascii(kind)[:100]}" if kind else "and the header Content-Type must say so"
        raise HTTPException(415, f"The body must be application/json, {said}.", {"Accept": "application/json"})
    coding = headers.get("content-encoding", "identity").strip().lower()
    if coding != "identity":
        raise HTTPException(415, "The body must not be compressed.", {"Accept-Encoding": "identity"})
