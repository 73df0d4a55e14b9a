"""A message: a fact or a command about one order, and how it travels.

The body is JSON, checked by a pydantic model; the envelope travels in AMQP's basic properties and headers, so that a
broker's tools show it.  Readers ignore unknown fields: a newer writer may add some.
"""

from __future__ import annotations

from typing import Any, Self
from uuid import UUID, uuid5

from pydantic import BaseModel, ConfigDict

from patterns import strict_json

SCHEMA_VERSION = "1.0"
"""Major.minor of the published language; a reader parks what has another major version."""

MAX_BYTES = 64 * 1024
"""Larger bodies are parked unread: nothing we say comes near it."""

ANSWER = "answer"
"""Stands in an answer's message id where other messages have their address."""


class Message(BaseModel):
    """Something said about one order."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    order_id: UUID

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        TYPES[cls.__name__] = cls

    @classmethod
    def received(cls, body: bytes, *, message_id: str, mode: str) -> Self:  # noqa: ARG003 (front doors need both)
        """Read a body.  Raises ValueError when it is not such a message, or could be read in two ways."""
        message = cls.model_validate_json(body)
        if message.model_dump_json().encode() != body:  # as we write it ourselves it is plain; this was not us
            strict_json.loads(body)
        return message

    @classmethod
    def body_model(cls) -> type[BaseModel]:
        """What a body looks like: the message's own fields, unless :meth:`received` reads something else."""
        return cls

    def said_in(self, mode: str) -> str:
        """The mode this travels in: the order's, where the message knows it, else that of whatever caused it."""
        return getattr(self, "mode", None) or mode

    @property
    def type(self) -> str:
        """The type's name, as it stands on the wire."""
        return type(self).__name__


TYPES: dict[str, type[Message]] = {}
"""Every type of message by its name: the published language."""


def message_id(order_id: UUID, message_type: str, address: str) -> UUID:
    """The id of a message: the same order, type and address give the same id, so that saying it again is harmless."""
    return uuid5(order_id, f"{message_type}:{address}")
