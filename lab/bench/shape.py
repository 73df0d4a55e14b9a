"""The shape of the work as plain data, made from the checked wirings: what the bare programs read, and so cannot drift."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from lab.shop import wirings_of
from patterns.address import Answer, Rpc
from patterns.amqp import DIRECT_REPLY_TO
from patterns.settings import settings
from patterns.shop import SERVICES
from patterns.wiring import Wiring, accepts

SOME_ORDER = UUID(int=0)


def shape() -> dict[str, Any]:
    """What every service hears and says in every mode, how many messages share a transaction, how long the gateway takes."""
    return {
        "batch_size": settings().batch_size,
        "gateway_seconds": settings().gateway_latency_seconds,
        "services": {
            service: {mode: {"hears": _hears(service, wiring), "says": _says(wiring)}
                      for mode, wiring in wirings_of(service).items()}
            for service in SERVICES
        },
    }


def _hears(service: str, wiring: Wiring) -> dict[str, dict[str, str]]:
    """By queue, and by type: the name of the handler."""
    heard: dict[str, dict[str, str]] = {}
    for line in wiring.lines:
        queue = DIRECT_REPLY_TO if isinstance(line.address, Answer) else line.address.queue_for(service)
        heard.setdefault(queue, {}).update(
            {message.__name__: line.handler.__name__ for message in accepts(line.handler)})
    return heard


def _says(wiring: Wiring) -> dict[str, list[dict[str, Any]]]:
    """By type: the places it is said to; ``{order_id}`` stands for the order's own."""
    said: dict[str, list[dict[str, Any]]] = {}
    for message, address in wiring.says:
        exchange, key = ("", "") if isinstance(address, Answer) else address.target(SOME_ORDER)
        said.setdefault(message.__name__, []).append({
            "address": str(address), "exchange": exchange, "key": key.replace(str(SOME_ORDER), "{order_id}"),
            "awaits_answer": isinstance(address, Rpc),
        })
    return said
