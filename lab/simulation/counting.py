"""What a run should have seen: defences at work, read off the statements as they pass.

A run in which no duplicate came, or none met its guard, shows nothing about the guards; so each time is counted.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lab.simulation.store import Store

STEPS = ("reservations", "holds", "payments", "deliveries")

SEEN = (
    "inbox: heard before", "outbox: said before", "step: begun before", "step: moved on before", "step: tombstone laid",
    "step: tombstone met", "order: asked again", "order: settled before", "relay: said again", "redelivered", "retried",
    "parked", "database asked to try again", "commit unknown", "client asked again",
)
"""Everything that is counted; a large run must have seen each."""

CROSSED = {
    "runs where transactions cross": 1_000, "crossing: waited for a lock": 400, "crossing: row judged anew": 200,
    "crossing: row skipped": 100, "crossing: waited too long": 10,
}
"""What databases whose transactions cross count, and how much of it a run of the full size must have seen.  Deadlocks are
counted too; the shop locks its rows in one order, so that there need not be any.  Who waits too long seldom does so alone,
since one that stands still holds up several: 27 in 100,000 faults, give or take 7 (95 slices of a night)."""


def watch(store: Store, statement: str, parameters: Any, changes: int) -> None:
    """Count what this statement met; ``changes``: how many rows it wrote."""
    words = statement.split(None, 3)
    if words[0] not in ("INSERT", "UPDATE"):
        return
    table, seen = words[2] if words[0] == "INSERT" else words[1], store.world.seen
    if words[0] == "INSERT":
        if table in ("inbox", "outbox"):
            offered = len(json.loads(parameters[-1])) if "json_each" in statement else 1
            seen[f"{table}: {'heard' if table == 'inbox' else 'said'} before"] += offered - changes
        elif table in STEPS:
            _begun(store, table, parameters, changes)
        elif table == "orders" and not changes:
            seen["order: asked again"] += 1
    elif table in STEPS and not changes:
        seen["step: moved on before"] += 1
    elif table == "orders" and not changes:
        seen["order: settled before"] += 1
    elif table == "outbox" and "attempts=" in statement.replace(" ", ""):
        seen["relay: said again"] += changes


def _begun(store: Store, table: str, parameters: Any, changes: int) -> None:
    order, state = parameters[0], parameters[1]
    seen = store.world.seen
    if changes:
        seen["step: tombstone laid"] += state == "VOID"
        return
    seen["step: begun before"] += 1
    known = store.raw.execute(f"SELECT state FROM {table} WHERE order_id = ?", (order,)).fetchone()  # noqa: S608
    seen["step: tombstone met"] += known is not None and known[0] == "VOID" and state != "VOID"
