"""A parked message as people see it: what it is, where it failed, how often and why."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from patterns.amqp import Delivery
from patterns.copies import number
from patterns.retry import failures_of, readable

SHOWN_BYTES = 4_000
"""So much of a body is shown; it is kept whole."""

BOOKKEEPING = frozenset({
    "attempt", "replays", "parked_as", "parked_because", "parked_from", "parked_at", "parked_exchange", "parked_key",
})
"""What parking wrote into the headers, and a replay takes out again."""

Hopeless = Callable[[Delivery, str, str], str]


class Failure(BaseModel):
    """One try that failed."""

    at: int = Field(description="seconds since 1970")
    reason: str


EXAMPLE: dict[str, Any] = {
    "id": "5f0c1a7be93d", "service": "payment", "type": "FundsReserved",
    "message_id": "0d9e2f4a-6b1c-5d8e-8f3a-7c5b1e2d4f60", "order_id": "d8b6b1f3-9f43-5d7e-8d0c-0d2f7c1a6b55",
    "mode": "topic", "sender": "user", "queue": "payment.topic", "parked_at": 1795262400, "parked_as": "failed",
    "reason": "RuntimeError: the gateway answers in another language", "hopeless": "", "attempts": 5,
    "first_failed_at": 1795262384, "failures": [{"at": 1795262384, "reason": "RuntimeError: the gateway answers …"}],
    "replayed": 0, "content_type": "application/json", "headers": {"mode": "topic", "attempt": 5},
    "body": '{"amount_cents": 9998}', "body_bytes": 22,
}


class Parked(BaseModel):
    """One parked message."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    id: str = Field(description="what to call it by; copies of the same message have the same")
    service: str
    type: str
    message_id: str | None
    order_id: UUID | None
    mode: str | None
    sender: str | None
    queue: str = Field(description="where it failed, and where a replay sends it")
    parked_at: int = Field(description="seconds since 1970; 0: unknown")
    parked_as: str = Field(description="unreadable, refused, failed or given up")
    reason: str
    hopeless: str = Field(description="why a replay cannot help, as things are; empty when it may")
    attempts: int = Field(description="tries since it was said or last replayed")
    first_failed_at: int = Field(description="seconds since 1970; 0: unknown")
    failures: list[Failure] = Field(description="the last reasons, the newest last; replays keep them")
    replayed: int = Field(description="times somebody sent it back before")
    content_type: str | None
    headers: dict[str, Any]
    body: str = Field(description="its beginning, as text; base64 of it where it is none")
    body_bytes: int


def parked_letter(service: str, delivery: Delivery, hopeless: Hopeless) -> Parked:
    """A delivery from a parked queue in people's words."""
    given, headers = delivery.properties, delivery.properties.headers
    queue, parked_as = _text(headers.get("parked_from")), _text(headers.get("parked_as")) or "unknown"
    reason = _text(headers.get("parked_because")) or "somebody put it here without a reason"
    heard = replace(
        delivery, queue=queue, exchange=_text(headers.get("parked_exchange")),
        routing_key=_text(headers.get("parked_key")) or queue,
    )
    return Parked(
        id=_id(queue, delivery), service=service, type=readable(given.type or "") or "?", queue=queue, reason=reason,
        message_id=readable(given.message_id or "") or None, order_id=_order(delivery),
        mode=_text(headers.get("mode")) or None, sender=readable(given.app_id or "") or None,
        parked_at=number(headers.get("parked_at")), parked_as=parked_as, hopeless=hopeless(heard, parked_as, reason),
        attempts=number(headers.get("attempt")), first_failed_at=number(headers.get("first_failed_at")),
        failures=[Failure(**each) for each in failures_of(headers)], replayed=number(headers.get("replayed")),
        content_type=readable(given.content_type or "") or None, headers={readable(name): _json(value) for name, value in
                                                                          headers.items()},
        body=_shown(delivery.body[:SHOWN_BYTES]), body_bytes=len(delivery.body),
    )


def _id(queue: str, delivery: Delivery) -> str:
    """The same for every copy: a request that is asked again, and fails again, is one message parked several times."""
    given = delivery.properties
    what = "\0".join([queue, given.message_id or "", given.type or ""]).encode(errors="replace") + b"\0" + delivery.body
    return hashlib.sha256(what).hexdigest()[:12]


def _order(delivery: Delivery) -> UUID | None:
    """The order it is about, by its header, or by a body that can be read so far."""
    found = delivery.properties.headers.get("order_id")
    if not isinstance(found, str):
        try:
            found = json.loads(delivery.body[:SHOWN_BYTES]).get("order_id")
        except (ValueError, AttributeError, RecursionError):
            return None
    try:
        return UUID(str(found))
    except ValueError:
        return None


def _shown(body: bytes) -> str:
    try:
        return readable_lines(body.decode())
    except UnicodeDecodeError:
        return base64.b64encode(body).decode()


def readable_lines(text: str) -> str:
    """A text with nothing in it that would act on a terminal."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\N{REPLACEMENT CHARACTER}" for letter in text)


def _text(value: Any) -> str:
    return readable(value) if isinstance(value, str) else ""


def _json(value: Any) -> Any:
    """A header as JSON can hold it."""
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return readable_lines(value)[:SHOWN_BYTES]
        case bytes():
            return f"base64:{base64.b64encode(value[:SHOWN_BYTES]).decode()}"
        case datetime():
            return value.isoformat()
        case Decimal():
            return str(value)
        case dict():
            return {readable(str(name)): _json(each) for name, each in value.items()}
        case list():
            return [_json(each) for each in value]
    return readable(str(value))
