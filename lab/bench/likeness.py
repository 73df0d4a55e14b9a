"""Whether both did the same work: what was heard and said, where and by whom, counted in their journals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from lab.bench.rows import connect
from patterns.shop import SERVICES

_HEARD = (
    "SELECT 'heard', type, mode, queue, handler, sender, count(*) FROM inbox"
    " GROUP BY type, mode, queue, handler, sender"
)
_SAID = (
    "SELECT 'said', type, mode, address, exchange, CASE address WHEN 'answer' THEN ''"
    " ELSE replace(routing_key, order_id::text, '{order_id}') END AS key, count(*) FROM outbox"
    " GROUP BY type, mode, address, exchange, key"
)


def unlike(database_urls: Sequence[str]) -> list[str]:
    """What one of two did more often than the other, in words."""
    ours, bare = (_journal(url) for url in database_urls)
    return [f"{line}: {ours[line]} times in ours, {bare[line]} in bare"
            for line in sorted({*ours, *bare}) if ours[line] != bare[line]]


def _journal(database_url: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for service in SERVICES:
        with connect(database_url, service) as database:
            for question in (_HEARD, _SAID):
                for *what, number in database.execute(question.encode()).fetchall():
                    found[" ".join([service, *map(str, what)])] = number
    return found
