"""A plain function answers in a thread, and going there costs: a route goes once, whatever FastAPI would do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from patterns.web import Router


class Told(BaseModel):
    """Which thread answered."""

    thread: int


def asked(router: Router) -> httpx.Response:
    app = FastAPI()
    app.include_router(router)

    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here") as http:
            return await http.get("/")

    return asyncio.run(ask())


def never(*_: Any, **__: Any) -> Any:
    raise AssertionError("FastAPI went to a thread by itself")


def test_a_route_goes_to_a_thread_once(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router()

    @router.get("/")
    def plain() -> Told:
        return Told(thread=threading.get_ident())

    monkeypatch.setattr("fastapi.routing.run_in_threadpool", never)
    answer = asked(router)
    assert answer.status_code == 200
    assert answer.json()["thread"] != threading.get_ident()


def test_a_coroutine_goes_to_none(monkeypatch: pytest.MonkeyPatch) -> None:
    router = Router()

    @router.get("/")
    async def quick() -> Told:
        return Told(thread=threading.get_ident())

    monkeypatch.setattr("fastapi.routing.run_in_threadpool", never)
    assert asked(router).json() == {"thread": threading.get_ident()}
