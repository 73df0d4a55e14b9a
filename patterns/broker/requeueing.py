"""Where a message that was given back goes in its queue; the two kinds of queue differ (seen on RabbitMQ 3.10)."""

from __future__ import annotations

from collections.abc import Sequence

from patterns.broker.data import Entry, Queue


def put_back(queue: Queue, entries: Sequence[Entry], *, at_tail: bool) -> None:
    """Requeue the entries, given in the order they were delivered.

    A classic queue puts each where it stood.  A quorum queue hands returned ones out first, in the order they came
    back; one without a delivery limit sends what a consumer gave back by itself to its end (``at_tail``).
    """
    if not queue.quorum:
        for entry in sorted(entries, key=lambda entry: entry.id, reverse=True):
            _where_it_stood(queue, entry)
    elif at_tail and queue.delivery_limit is None:
        queue.ready.extend(entries)
    else:
        for entry in entries:
            queue.ready.insert(queue.returned, entry)
            queue.returned += 1


def _where_it_stood(queue: Queue, entry: Entry) -> None:
    ready = queue.ready
    if not ready or entry.id < ready[0].id:
        ready.appendleft(entry)
        return
    at = next((place for place, other in enumerate(ready) if other.id > entry.id), len(ready))
    ready.insert(at, entry)
