"""A queue is deleted, with nothing in it: what its consumers must notice (celery and dramatiq went on reading nothing)."""

from __future__ import annotations

import random
import time

from lab.queues import consumers_by_queue
from lab.shop import wirings_in
from lab.torture.readiness import PATIENCE_SECONDS
from lab.torture.shops import TorturedShop
from patterns.address import Answer
from patterns.transport import transport


def lose_a_queue(shop: TorturedShop, mode: str, chance: random.Random) -> tuple[str, list[str]]:
    """Delete one of the mode's queues and wait for its consumers; answers which, and what is wrong with it then."""
    queues = sorted({
        line.address.queue_for(service) for service, wiring in wirings_in(mode).items() for line in wiring.lines
        if not isinstance(line.address, Answer)
    })
    queue = chance.choice(queues)
    connection = transport().connect("orderflow.torture")
    try:
        connection.channel().delete_queue(queue)
    finally:
        connection.close()
    until = time.monotonic() + PATIENCE_SECONDS
    while (consumers := consumers_by_queue().get(queue, 0)) != shop.plan.instances:
        if time.monotonic() > until:
            return queue, [f"{queue} has {consumers} consumers {PATIENCE_SECONDS:g} s after it was deleted"]
        time.sleep(0.1)  # they are other processes, and tell nobody here
    return queue, []
