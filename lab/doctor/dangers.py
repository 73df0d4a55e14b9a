"""Settings that contradict each other, or lose something one day."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate
from urllib.parse import urlsplit

from lab.doctor.findings import Finding, ok, warning
from patterns.settings import Settings

PART = "settings"
HERE = ("localhost", "127.0.0.1", "::1", None)


def dangers(config: Settings) -> Iterator[Finding]:
    """Each danger; one line when there is none."""
    found = [*_queues(config), *_times(config), *_places(config)]
    yield from found or [ok(PART, "No setting endangers another.")]


def _queues(config: Settings) -> Iterator[Finding]:
    if config.queue_type == "classic":
        yield warning(
            PART, "QUEUE_TYPE=classic: each queue lives on one node, and what the broker dead-letters may get lost.",
            "Use quorum, unless this broker has one node and you know why.", "https://www.rabbitmq.com/docs/classic-queues",
        )


def _times(config: Settings) -> Iterator[Finding]:
    delays, deadline = config.retry_delays_seconds, config.order_deadline_seconds
    late = [delay for delay, at in zip(delays, accumulate(delays), strict=True) if at >= deadline]
    if delays and len(late) == len(delays):
        yield warning(
            PART, f"An order is cancelled after {deadline:g} s, before its first retry ({delays[0]:g} s): a handler that "
            "fails once fails it.", "Make ORDER_DEADLINE_SECONDS longer, or RETRY_DELAYS_SECONDS shorter.",
        )
    if sum(delays) > config.journal_days * 86_400:
        yield warning(
            PART, "Retries last longer than JOURNAL_DAYS: by then the inbox has forgotten which messages it knows.",
            "Make JOURNAL_DAYS longer.",
        )
    if config.rpc_wait_seconds > deadline:
        yield warning(
            PART, f"RPC_WAIT_SECONDS={config.rpc_wait_seconds:g} is more than ORDER_DEADLINE_SECONDS={deadline:g}: clients "
            "of mode rpc wait for orders that are cancelled already.", "Wait shorter than the deadline.",
        )
    if config.gateway_latency_seconds >= deadline:
        yield warning(
            PART, "The payment gateway takes longer than an order's deadline: every order is cancelled.",
            "Lower GATEWAY_LATENCY_SECONDS.",
        )


def _places(config: Settings) -> Iterator[Finding]:
    if config.rabbitmq_url and not config.database_url:
        yield warning(
            PART, "RABBITMQ_URL is set and DATABASE_URL is not: instances on other machines share the queues, not the data.",
            "Set DATABASE_URL, or run all on one machine.",
        )
    elsewhere = [broker for broker in map(urlsplit, config.rabbitmq_urls) if broker.hostname not in HERE]
    if any(broker.scheme == "amqp" for broker in elsewhere):
        yield warning(
            PART, "RABBITMQ_URL is amqp:// to another machine: password and messages travel readable.",
            "Use amqps://, unless the network between is yours alone.", "https://www.rabbitmq.com/docs/ssl",
        )
    if any(broker.username in (None, "guest") for broker in elsewhere):
        yield warning(
            PART, "RABBITMQ_URL's user is guest, whom RabbitMQ lets in from its own machine only.",
            "Make a user for the shop.", "https://www.rabbitmq.com/docs/access-control#default-state",
        )
