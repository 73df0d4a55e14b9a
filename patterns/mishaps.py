"""Mishaps: a delivery that could not be handled is retried, parked or dropped; counted and logged, never lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from patterns.amqp import Delivery
from patterns.errors import ServerUnavailable, Unreadable
from patterns.logs import get_logger
from patterns.retry import ParkedAs, Publisher, Retries, readable


class Mishaps:
    """Decides what becomes of one service's failed deliveries.  Its calls raise BrokerUnavailable when that is unsure."""

    def __init__(self, service: str, publisher: Publisher, own_queues: Collection[str]) -> None:
        self.counts: Counter[str] = Counter()
        self._retries = Retries(service, publisher, own_queues)
        self._log = get_logger(service)

    def unreadable(self, delivery: Delivery, error: Exception) -> None:
        """Nobody can read it."""
        self._park(delivery, error, "unreadable")

    def failed(self, delivery: Delivery, error: Exception) -> None:
        """Its handler, or the preparation before it, raised."""
        reason = f"{type(error).__name__}: {error}"
        if isinstance(error, Unreadable):  # the handler says never: trying again would not help
            self._park(delivery, error, "refused")
        elif delivery.tag is None:
            self._note("dropped", delivery, reason)  # an answer is only a hint: its request is asked again
        else:
            delay = self._retries.again_or_park(delivery, reason)
            self._note("parked" if delay is None else "retried", delivery, reason)

    def unserved(self, delivery: Delivery, error: ServerUnavailable) -> None:
        """Whoever its preparation asks is away: nothing is wrong with it, so it waits and no attempt is counted."""
        if delivery.tag is None:
            self._note("dropped", delivery, str(error))
            return
        delay = self._retries.wait(delivery, f"{type(error).__name__}: {error}")
        self.counts["waits"] += 1  # its breaker tells the log, once for all of them
        self._log.debug("%s waits %g s: %s", delivery.properties.type, delay, error, extra={"action": "waits"})

    def given_up(self, delivery: Delivery) -> None:
        """The broker gave it up: its consumers broke off too often."""
        queue = self._retries.send_back(delivery)
        self._note("sent_back" if queue else "parked", delivery, f"given up by the broker; now in {queue or 'parked'}")

    def _park(self, delivery: Delivery, error: Exception, parked_as: ParkedAs) -> None:
        reason = str(error) if isinstance(error, Unreadable) else f"{type(error).__name__}: {error}"
        if delivery.tag is None:
            self._note("dropped", delivery, reason)
        else:
            self._retries.park(delivery, reason, parked_as)
            self._note("parked", delivery, reason)

    def _note(self, action: str, delivery: Delivery, why: str) -> None:
        self.counts[action] += 1
        kind = readable(delivery.properties.type or "") or "A message"
        self._log.warning("%s %s at %s: %s", kind, action, delivery.queue, readable(why), extra={"action": action})
