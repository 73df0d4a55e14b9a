"""Parked messages over HTTP, the same for every service and every broker: an operator needs no broker's password.

These paths are for operators: they stand beside ``/readyz``, not under ``/api/v1``, and a gateway should not pass them on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field

from patterns.errors import NotFound
from patterns.parked import Done, ParkedQueue, Verdict
from patterns.parked_letter import EXAMPLE, Parked
from patterns.service import Service
from patterns.transport import transport
from patterns.web_bodies import Router

Name = Annotated[str, Field(min_length=1, max_length=255)]
BUSY: dict[int | str, dict[str, Any]] = {409: {"description": "Somebody else is looking; try again in a moment."}}


class Waiting(BaseModel):
    """A service's parked messages: how many there are, and the oldest of them, without bodies and headers."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {"service": "payment", "waiting": 1, "messages": [{**EXAMPLE, "headers": {}, "body": "", "failures": []}]}
    ]})

    service: str
    waiting: int
    messages: list[Parked]


class Chosen(BaseModel):
    """Which parked messages are meant, by our id or their own.  None named, none meant."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"ids": [EXAMPLE["id"]], "dry_run": True}]}
    )

    ids: Annotated[list[Name], Field(max_length=100)] = []
    dry_run: bool = Field(default=False, description="say what would be done, and do nothing")

    def includes(self, letter: Parked) -> bool:
        """Whether this one is meant."""
        return letter.id in self.ids or letter.message_id in self.ids


class ChosenToDrop(Chosen):
    """Which are to be thrown away: by id only, so that nobody drops what nobody has seen."""


class ChosenForReplay(Chosen):
    """Which are to be sent back to the queues they failed at: by id, by type, or all."""

    type: Name | None = None
    all: bool = False
    force: bool = Field(default=False, description="also what can never work, as things are")

    def includes(self, letter: Parked) -> bool:
        """Whether this one is meant."""
        return self.all or letter.type == self.type or super().includes(letter)


class Outcome(BaseModel):
    """What became of one parked message."""

    model_config = ConfigDict(json_schema_extra={"examples": [
        {name: EXAMPLE[name] for name in ("id", "type", "message_id", "order_id", "queue")}
        | {"verdict": "replayed", "why": "its first attempt begins again"}
    ]})

    id: str
    type: str
    message_id: str | None
    order_id: UUID | None
    queue: str
    verdict: Verdict
    why: str

    @classmethod
    def of(cls, done: Done) -> Outcome:
        """The outcome in a client's words."""
        letter = done.letter
        return cls(
            id=letter.id, type=letter.type, message_id=letter.message_id, order_id=letter.order_id, queue=letter.queue,
            verdict=done.verdict, why=done.why,
        )


def without_contents(letter: Parked) -> Parked:
    """A parked message as a list shows it."""
    return letter.model_copy(update={"headers": {}, "body": "", "failures": []})


def named(name: str) -> Callable[[Parked], bool]:
    """Chooses one message, by our id or by its own."""
    return lambda letter: name in (letter.id, letter.message_id)


def parked_routes(service: Service) -> Router:
    """What operators may ask of a service's parked messages."""
    router = Router(tags=["operations"])
    here: dict[str, Any] = {"openapi_extra": {"servers": [{"url": "/"}]}, "responses": BUSY}

    def queue() -> ParkedQueue:
        return ParkedQueue(service.name, transport(), service.wirings)

    @router.get("/parked", **here)
    def list_parked(limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> Waiting:
        """The messages this service put aside because it could not handle them, the oldest first; they stay there."""
        waiting, letters = queue().look(limit)
        return Waiting(service=service.name, waiting=waiting, messages=list(map(without_contents, letters)))

    @router.get("/parked/messages/{id}", **here)
    def get_parked(name: Annotated[str, Path(alias="id", min_length=1, max_length=255)]) -> Parked:
        """One parked message with its headers, the beginning of its body, and why it failed each time."""
        found = queue().look(1, named(name))[1]
        if not found:
            raise NotFound(f"{service.name} has parked no message {name}; it may have been replayed")
        return found[0]

    @router.post("/parked/replay", **here)
    def replay_parked(chosen: ChosenForReplay) -> list[Outcome]:
        """Send parked messages back to the queues they failed at; one that can never work is refused."""
        done = queue().replay(chosen.includes, force=chosen.force, dry_run=chosen.dry_run)
        return [Outcome.of(each) for each in done]

    @router.post("/parked/drop", **here)
    def drop_parked(chosen: ChosenToDrop) -> list[Outcome]:
        """Throw parked messages away, for good."""
        done = queue().drop(chosen.includes, dry_run=chosen.dry_run)
        return [Outcome.of(each) for each in done]

    return router
