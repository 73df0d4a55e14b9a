"""What the journals must say: what was done is said, each thing once, and no order waits for ever.

:mod:`lab.promises` judges money, goods and orders.  These checks judge the words about them: they notice a defence whose
loss another one hides, an inbox for instance behind the step rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lab.simulation.world import World

LATEST_SECONDS = 120.0
"""After the trouble, and longer than the longest fault lasts with a deadline after it: by then every order has ended."""

UNSAID = """
    SELECT o.id, o.status FROM orders o WHERE NOT EXISTS (SELECT 1 FROM outbox b WHERE b.order_id = o.id AND (
        o.status = 'PROCESSING' AND b.type = 'OrderPlaced' OR o.status = 'SUCCESS' AND b.type = 'OrderConfirmed'
        OR o.status = 'FAILED' AND b.type IN ('OrderFailed', 'OrderCancelled')))
    OR NOT EXISTS (SELECT 1 FROM outbox b WHERE b.order_id = o.id AND b.type = 'OrderPlaced')
"""

TWICE = """
    SELECT order_id, type, address, count(*) FROM outbox WHERE address <> 'answer'
    GROUP BY order_id, type, address HAVING count(*) > 1
"""

NOTED_TWICE = "SELECT order_id, event, count(*) FROM history GROUP BY order_id, event HAVING count(*) > 1"


def told_by_journals(world: World, wishes: int) -> list[str]:
    """What the outboxes and the orders' history say that cannot be; for when all has come to rest."""
    stores = world.stores
    found = [f"order {order} is {status}, and the order service has said nothing of it"
             for order, status in stores["order"].rows(UNSAID)]
    for service, store in stores.items():
        found += [f"{kind} of order {order} was said {times} times to {address}, by {service}"
                  for order, kind, address, times in store.rows(TWICE)]
    # An operator who replays a message under a new id is heard: for the history it is news, for the step rows it is not.
    if not any(kind == "replay" for _, kind in world.injector.happened):
        found += [f"the history tells {event} of order {order} {times} times"
                  for order, event, times in stores["order"].rows(NOTED_TWICE)]
    orders = stores["order"].rows("SELECT count(*) FROM orders")[0][0]
    if orders > wishes:
        found.append(f"{orders} orders for {wishes} wishes: more than one for one wish")
    return found


def overdue(world: World) -> list[str]:
    """Orders that nobody has ended, long after their deadline and after all trouble."""
    open_orders = world.stores["order"].rows("SELECT id FROM orders WHERE status = 'PROCESSING'")
    return [f"order {order} is not settled {LATEST_SECONDS:g} s after all trouble" for (order,) in open_orders]
