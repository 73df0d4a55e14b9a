"""Try again later, then park: what becomes of a message whose handler failed.

::

    product.topic ──handler raises──> orderflow.retry.1000 ──1 s──> product.topic ──> … 5 s, 25 s … ──> product.parked

The copy is confirmed before the original is acknowledged, so a crash between the two leaves a duplicate, which the
inbox takes, and never a gap.  It goes back to the failing service's own queue: the other hearers did nothing wrong.
Each copy carries how often it was tried, since when, and the last reasons; a parked one is for people (docs/poison.md).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, Protocol

from patterns.amqp import Delivery, Outgoing, Receipt
from patterns.copies import copied_headers, copied_properties, number
from patterns.errors import ConnectionLost
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.topology import DELIVERY_LIMIT, parked_queue, retry_exchange

MOST_REPLAYS = 10
"""Returns from the dead-letter queue: 10 × 1,000 deliveries, each ended by a crash, and it is parked."""

MOST_REASONS = 5
"""A copy carries so many of the last reasons why it failed."""

REASON_LETTERS = 500

ParkedAs = Literal["unreadable", "refused", "failed", "given up"]
"""Why a message is parked: nobody can read it; its handler says never; its handler failed; the broker gave it up."""


class Publisher(Protocol):
    """Whatever publishes and waits for the confirms: a service's voice, or a channel."""

    def publish(self, messages: Sequence[Outgoing], timeout: float = 30.0) -> list[Receipt]:
        """Publish all; one receipt each, in order."""


class Retries:
    """One service's ladder: again, again later, then parked."""

    def __init__(self, service: str, publisher: Publisher, own_queues: Collection[str] = ()) -> None:
        self.service, self.publisher, self.own_queues = service, publisher, own_queues

    def again_or_park(self, delivery: Delivery, reason: str) -> float | None:
        """Send a failed delivery up the ladder; answers in how many seconds it comes back, None when it is parked."""
        delays = settings().retry_delays_seconds
        attempt = number(delivery.properties.headers.get("attempt"), len(delays))
        if attempt == len(delays):
            self.park(delivery, f"failed {attempt + 1} times, at last: {reason}", "failed")
            return None
        headers = {**_remembered(delivery, reason), "attempt": attempt + 1}
        self._publish(retry_exchange(delays[attempt]), delivery.queue, delivery, headers)
        return delays[attempt]

    def wait(self, delivery: Delivery, reason: str) -> float:
        """Send a delivery whose server is away round the ladder; answers in how many seconds it comes back.

        The pauses grow as for a failure, but it is never parked for this: nothing is wrong with the message.
        """
        delays = settings().retry_delays_seconds
        waits = number(delivery.properties.headers.get("waits"), 1_000_000)
        delay = delays[min(waits, len(delays) - 1)]
        self._publish(retry_exchange(delay), delivery.queue, delivery, {**_remembered(delivery, reason), "waits": waits + 1})
        return delay

    def park(self, delivery: Delivery, reason: str, parked_as: ParkedAs, heard_at: str | None = None) -> None:
        """Put a delivery aside for a person, with the reason and where it was heard."""
        attempt = number(delivery.properties.headers.get("attempt"), len(settings().retry_delays_seconds))
        headers = _remembered(delivery, reason) | {
            "attempt": attempt + 1, "parked_as": parked_as, "parked_because": readable(reason),
            "parked_from": heard_at or delivery.queue, "parked_at": int(runtime().now()),
            "parked_exchange": delivery.exchange, "parked_key": delivery.routing_key,
        }
        self._publish("", parked_queue(self.service), delivery, headers)

    def send_back(self, delivery: Delivery) -> str | None:
        """Return what the broker gave up delivering to its queue; answers that queue, None when it is parked."""
        headers = delivery.properties.headers
        deaths: Any = headers.get("x-death")
        death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
        replays, reason = number(headers.get("replays"), 1_000_000) + 1, death.get("reason")
        # Anybody may write into our dead-letter queue; it must not be a way into other queues.
        queue = death.get("queue") if death.get("queue") in self.own_queues else None
        if reason != "delivery_limit" or queue is None or replays > MOST_REPLAYS:
            why = f"dead-lettered {replays} times, at last because: {reason or 'unknown'}"
            self.park(delivery, why, "given up", queue)
            return None
        why = f"its consumer broke off {DELIVERY_LIMIT} times; given up by the broker and sent back"
        self._publish("", queue, delivery, {**_remembered(delivery, why), "replays": replays})
        return str(queue)

    def _publish(self, exchange: str, routing_key: str, delivery: Delivery, remembered: Mapping[str, Any]) -> None:
        """Publish a copy for certain: its original is acknowledged next.  Raises ConnectionLost when unsure."""
        headers = {**copied_headers(delivery.properties.headers), **remembered}
        try:
            receipt = self._published(exchange, routing_key, delivery, headers)
        except ValueError:  # the broker's frames are smaller than usual: rather without its headers than not at all
            receipt = self._published(exchange, routing_key, delivery, remembered)
        if receipt is not Receipt.CONFIRMED:
            raise ConnectionLost(f"The broker did not take the copy for {exchange or routing_key}: {receipt.value}")

    def _published(self, exchange: str, routing_key: str, delivery: Delivery, headers: Mapping[str, Any]) -> Receipt:
        properties = copied_properties(delivery.properties, headers)
        [receipt] = self.publisher.publish([Outgoing(exchange, routing_key, delivery.body, properties)])
        return receipt


def failures_of(headers: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The last reasons why a message failed, each with its time (``at``); the newest last."""
    listed = headers.get("failures")
    return [
        {"at": each["at"], "reason": readable(each["reason"])} for each in (listed if isinstance(listed, list) else ())
        if isinstance(each, dict) and number(each.get("at")) and isinstance(each.get("reason"), str)
    ][-MOST_REASONS:]


def readable(reason: str) -> str:
    """A reason as a header, a log line and a screen can show it: one line, not too long, nothing unprintable."""
    words = " ".join(reason.encode(errors="replace").decode().split())
    if words.isprintable():
        return words[:REASON_LETTERS]
    return "".join(letter if letter.isprintable() else "?" for letter in words)[:REASON_LETTERS]


def _remembered(delivery: Delivery, reason: str) -> dict[str, Any]:
    """What the copy remembers: since when it fails, and why."""
    now, headers = int(runtime().now()), delivery.properties.headers
    return {
        "first_failed_at": number(headers.get("first_failed_at")) or now,
        "failures": [*failures_of(headers)[1 - MOST_REASONS:], {"at": now, "reason": readable(reason)}],
    }
