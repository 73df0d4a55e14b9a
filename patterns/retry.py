"""Try again later, then park: what becomes of a message whose handler failed.

::

    product.topic ──handler raises──> orderflow.retry.1000 ──1 s──> product.topic ──> … 5 s, 25 s … ──> product.parked

The copy is confirmed before the original is acknowledged, so a crash between the two leaves a duplicate, which the
inbox takes, and never a gap.  It goes back to the failing service's own queue: the other hearers did nothing wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, Protocol

from patterns.amqp import Delivery, Outgoing, Receipt
from patterns.errors import ConnectionLost
from patterns.settings import settings
from patterns.topology import parked_queue, retry_exchange

HEADER_BYTES = 20_000
"""A parked copy keeps the original's headers unless they are larger than this; the broker's frame is 128 KiB."""

MOST_REPLAYS = 10
"""Returns from the dead-letter queue: 10 × 1,000 deliveries, each ended by a crash, and it is parked."""


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
        delays, attempt = settings().retry_delays_seconds, _count(delivery, "attempt")
        if attempt >= len(delays):
            self.park(delivery, f"failed {attempt + 1} times, at last: {reason}")
            return None
        headers = {**_own_headers(delivery), "attempt": attempt + 1, "last_error": reason[:500]}
        self._publish(retry_exchange(delays[attempt]), delivery.queue, delivery, headers)
        return delays[attempt]

    def park(self, delivery: Delivery, reason: str) -> None:
        """Put a delivery aside for a person, with the reason and where it was heard."""
        headers = _own_headers(delivery)
        if len(repr(headers)) > HEADER_BYTES:
            headers = {"dropped_headers": f"{len(headers)} headers were too large to keep"}
        headers |= {"parked_because": reason[:500], "parked_from": delivery.queue}
        self._publish("", parked_queue(self.service), delivery, headers)

    def send_back(self, delivery: Delivery) -> str | None:
        """Return what the broker gave up delivering to its queue; answers that queue, None when it is parked."""
        headers = delivery.properties.headers
        deaths: Any = headers.get("x-death")
        death = deaths[0] if isinstance(deaths, list) and deaths and isinstance(deaths[0], dict) else {}
        replays = _count(delivery, "replays") + 1
        # Anybody may write into our dead-letter queue; it must not be a way into other queues.
        if death.get("reason") != "delivery_limit" or death.get("queue") not in self.own_queues or replays > MOST_REPLAYS:
            self.park(delivery, f"dead-lettered {replays} times, at last because: {death.get('reason', 'unknown')}")
            return None
        self._publish("", str(death["queue"]), delivery, {**_own_headers(delivery), "replays": replays})
        return str(death["queue"])

    def _publish(self, exchange: str, routing_key: str, delivery: Delivery, headers: dict[str, Any]) -> None:
        """Publish a copy for certain: its original is acknowledged next.  Raises ConnectionLost when unsure."""
        properties = replace(delivery.properties, headers=headers, expiration=None)
        try:
            [receipt] = self.publisher.publish([Outgoing(exchange, routing_key, delivery.body, properties)])
        except ValueError:  # others may write what we can read but not write, such as a float in a header
            properties = replace(properties, headers={name: _as_text(value) for name, value in headers.items()})
            [receipt] = self.publisher.publish([Outgoing(exchange, routing_key, delivery.body, properties)])
        if receipt is not Receipt.CONFIRMED:
            raise ConnectionLost(f"The broker did not take the copy for {exchange or routing_key}: {receipt.value}")


def _own_headers(delivery: Delivery) -> dict[str, Any]:
    """A copy of the headers without the broker's own.

    RabbitMQ 3.10 believes an ``x-death`` that a client made up, and its dead-lettering can crash on it.
    """
    return {name: value for name, value in delivery.properties.headers.items() if not name.startswith("x-")}


def _as_text(value: Any) -> Any:
    return value if isinstance(value, int) else str(value).encode(errors="replace").decode()[:500]


def _count(delivery: Delivery, header: str) -> int:
    value = delivery.properties.headers.get(header)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1_000_000 else 0
