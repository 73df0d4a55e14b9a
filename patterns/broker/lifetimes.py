"""How long messages and queues live."""

from __future__ import annotations

from patterns.broker.data import Message, Queue


def expiry(message: Message, queue: Queue, now: float) -> float | None:
    """When a message that arrives in the queue now expires there: its own or the queue's time, whichever is shorter."""
    expiration = message.properties.expiration
    if expiration is None:
        return None if queue.ttl is None else now + queue.ttl
    own = int(expiration) / 1000
    return now + (own if queue.ttl is None else min(own, queue.ttl))


def unused_until(queue: Queue) -> float | None:
    """When the queue itself expires, unless somebody uses it before."""
    return None if queue.expires is None or queue.consumers else queue.unused_since + queue.expires


def next_end(queue: Queue) -> float | None:
    """When something about this queue expires next.

    Of its messages only the head counts: what expired behind it stays until it is the head, as on RabbitMQ.
    """
    head = queue.ready[0].expires_at if queue.ready else None
    return min((at for at in (head, unused_until(queue)) if at is not None), default=None)
