"""The envelope: what travels around a message, in AMQP's properties and headers.

``message_id``, ``type``, ``correlation_id`` (the order; in an RPC reply the request's message id), ``app_id``,
``timestamp``, ``content_type`` and ``reply_to`` are AMQP's own; order id, mode, causation id, ``traceparent``
(https://www.w3.org/TR/trace-context/), deadline, schema version and attempt are headers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

from patterns.address import Address, Answer, Saga
from patterns.amqp import UNDECODABLE, Delivery, Outgoing, Properties
from patterns.copies import number
from patterns.errors import Unreadable
from patterns.message import ANSWER, MAX_BYTES, SCHEMA_VERSION, Message, message_id
from patterns.runtime import runtime

TRACEPARENT = r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}"
"""A W3C trace context, as clients send it and messages carry it on."""

REPLY_TO = re.compile(r"amq\.rabbitmq\.reply-to\.[!-~]+")
"""Where a requester may ask us to publish: direct reply-to.  Anything else would let it write into any queue."""

LATEST_DEADLINE = 2**40
"""Seconds since 1970; what says it is later is no deadline."""


@dataclass(frozen=True, slots=True)
class Context:
    """What a message inherits from the one that caused it."""

    mode: str
    causation_id: str | None = None
    traceparent: str | None = None
    deadline: float | None = None  # seconds since 1970; information, nobody acts on it

    @property
    def headers(self) -> dict[str, Any]:
        """The context as AMQP headers."""
        known = {"mode": self.mode, "causation_id": self.causation_id, "traceparent": self.traceparent,
                 "deadline": None if self.deadline is None else int(self.deadline)}
        return {name: value for name, value in known.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Said:
    """A message a service has said, sealed and addressed: what an outbox row holds."""

    message_id: UUID
    order_id: UUID
    type: str
    mode: str
    address: str
    exchange: str
    routing_key: str
    body: str
    headers: dict[str, Any] = field(hash=False)
    correlation_id: str
    awaits_answer: bool = False

    @property
    def is_reply(self) -> bool:
        """Whether this answers an RPC request: a hint, never sent again."""
        return self.address == ANSWER

    def outgoing(self, sender: str, reply_to: str | None = None) -> Outgoing:
        """The message as the broker takes it.

        Everything is mandatory except replies: RabbitMQ returns a mandatory direct reply though it delivers it.
        """
        properties = Properties(
            message_id=str(self.message_id), type=self.type, correlation_id=self.correlation_id, app_id=sender,
            timestamp=int(runtime().now()), headers=self.headers, reply_to=reply_to if self.awaits_answer else None,
        )
        return Outgoing(self.exchange, self.routing_key, self.body.encode(), properties, mandatory=not self.is_reply)


def seal(message: Message, address: Address, context: Context, *, awaits_answer: bool = False) -> Said:
    """Put a message into its envelope, addressed."""
    exchange, routing_key = ("", "") if isinstance(address, Answer) else address.target(message.order_id)
    order, where = str(message.order_id), str(address)
    return Said(
        message_id=message_id(message.order_id, message.type, where), order_id=message.order_id,
        type=message.type, mode=context.mode, address=where, exchange=exchange, routing_key=routing_key,
        body=message.model_dump_json(), correlation_id=order, awaits_answer=awaits_answer,
        headers={"order_id": order, "schema_version": SCHEMA_VERSION, **context.headers},
    )


def seal_reply(message: Message, context: Context, reply_to: str, request_id: str) -> Said:
    """Put an answer into its envelope, addressed to whoever asked, about that request."""
    said = seal(message, Answer(), context)
    return Said(**{**{name: getattr(said, name) for name in Said.__slots__},
                   "routing_key": reply_to, "correlation_id": request_id})


def identity(delivery: Delivery) -> UUID:
    """A delivery's message id.  Ours are UUIDs; a client's may be any text.  Raises Unreadable without one."""
    given = delivery.properties.message_id
    if not given:
        raise Unreadable("no message_id: without one a duplicate cannot be told")
    if not given.isprintable() or "\N{REPLACEMENT CHARACTER}" in given:
        raise Unreadable(f"message_id {given!r} is not plain text: two of that kind could not be told apart")
    return _id(given)


@lru_cache(maxsize=1000)  # each is asked for several times, in a batch
def _id(given: str) -> UUID:
    try:
        return UUID(given)
    except ValueError:
        return uuid5(NAMESPACE_OID, given)


def read(delivery: Delivery, types: dict[str, type[Message]], mode: str) -> Message | None:
    """Open an envelope, before any transaction; None for a type that is not among ``types``.

    Raises Unreadable with the reason when it can never be handled.
    """
    properties = delivery.properties
    if not properties.type:
        raise Unreadable("no type: nobody can say what it is")
    if properties.type not in types:
        return None
    identity(delivery)
    _check_form(delivery)
    try:
        message = types[properties.type].received(delivery.body, message_id=properties.message_id or "", mode=mode)
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise Unreadable(f"not a readable {properties.type}: {error}") from error
    _check_order(delivery, message.order_id)
    return message


def _check_form(delivery: Delivery) -> None:
    """Raise Unreadable for what is not to be parsed."""
    properties = delivery.properties
    if len(delivery.body) > MAX_BYTES:
        raise Unreadable(f"{len(delivery.body)} bytes; at most {MAX_BYTES} are read")
    if properties.content_type != "application/json":
        raise Unreadable(f"content type {properties.content_type!r}; application/json is read")
    if UNDECODABLE in properties.headers:
        raise Unreadable("its headers are no AMQP table")
    version = str(properties.headers.get("schema_version", SCHEMA_VERSION))
    if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]:
        raise Unreadable(f"schema version {version[:40]!r}; {SCHEMA_VERSION} is read")
    if properties.reply_to and not REPLY_TO.fullmatch(properties.reply_to):
        raise Unreadable(f"reply_to {properties.reply_to!r} is no reply queue")


def _check_order(delivery: Delivery, order_id: UUID) -> None:
    """Raise Unreadable when the envelope speaks of another order than the body: one of them lies."""
    header, key = delivery.properties.headers.get("order_id"), delivery.routing_key.split(".")
    if header is not None and header != str(order_id):
        raise Unreadable(f"the header says order {str(header)[:40]!r}, the body says {order_id}")
    if delivery.exchange == Saga.exchange and key[1:2] != [str(order_id)]:
        raise Unreadable(f"the routing key {delivery.routing_key[:80]!r} names another order than the body, {order_id}")


def context_of(delivery: Delivery, mode: str) -> Context:
    """What the answers to this delivery inherit; its mode is that of the address it was heard at."""
    headers = delivery.properties.headers
    trace, deadline = headers.get("traceparent"), headers.get("deadline")
    return Context(
        mode=mode, causation_id=str(identity(delivery)),
        traceparent=trace if isinstance(trace, str) and re.fullmatch(TRACEPARENT, trace) else None,
        deadline=float(number(deadline, LATEST_DEADLINE)) or None,
    )
