"""What RabbitMQ says of itself and of us: asked by whoever examines a broker, not by services."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Any

from patterns.connection_asking import Answer, Questions
from patterns.connection_thread import CLOSE_SECONDS, PikaThread
from patterns.connection_url import ending
from patterns.errors import ChannelClosed


@dataclass(frozen=True)
class Facts:
    """What both sides agreed on when they connected.  ``heartbeat`` in seconds (0: none), ``frame_max`` in bytes."""

    product: str
    version: str
    cluster: str
    heartbeat: int
    frame_max: int


def facts_of(pika: Any) -> Facts:
    """The server's introduction, and what was negotiated with it."""
    about = pika.server_properties or {}
    return Facts(
        product=str(about.get("product", "unknown")), version=str(about.get("version", "?")),
        cluster=str(about.get("cluster_name", "?")), heartbeat=int(pika.params.heartbeat or 0),
        frame_max=int(pika.params.frame_max or 0),
    )


def refused_to_write(thread: PikaThread, exchange: str, routing_keys: Collection[str]) -> str | None:
    """Why we may not publish there, or None: asked by publishing in a transaction that is rolled back.

    RabbitMQ checks permissions when it gets a message, and routes it when the transaction is committed, which never
    happens (https://www.rabbitmq.com/docs/semantics#tx).
    """
    questions = Questions(thread)
    channel: Any = questions.ask(lambda done: thread.pika.channel(on_open_callback=partial(_opened, questions, done)))

    def try_it(done: Answer) -> None:
        for key in routing_keys:
            channel.basic_publish(exchange, key, b"")
        channel.tx_rollback(callback=done)

    try:
        questions.ask(lambda done: channel.tx_select(callback=done))
        questions.ask(try_it)
        questions.ask(lambda _: channel.close(), CLOSE_SECONDS)  # answered by the end of the channel
    except ChannelClosed as closed:
        return None if closed.code == 200 else f"{closed.code} {closed.text}"
    return None


def _opened(questions: Questions, done: Answer, channel: Any) -> None:
    channel.add_on_close_callback(lambda _, error: questions.end(ending(error)))
    done(channel)
