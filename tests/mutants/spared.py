"""Cuts that no test without a server can notice, each with the reason.

Some behave alike, or are only slower; others are noticed where transactions really meet, on PostgreSQL.
"""

from __future__ import annotations

ALIKE_TOGETHER = "Both are written in the one transaction, and neither looks at the other."
ROW_COUNT = (
    "SQLite counts in any case.  On PostgreSQL no step is ever begun without it: every test in tests/interleaving fails."
)

SPARED: dict[str, str] = {
    "patterns/outbox.py _id: – return None": "A function that ends answers None as well.",
    'patterns/step.py module: – entry "preserve_rowcount": True': ROW_COUNT,
    "patterns/step.py insert_once: – argument execution_options=KEEP_ROWCOUNT": ROW_COUNT,
    "patterns/step.py undo: – return None": "It only spares an UPDATE: the row just made VOID is in no state to move.",
    'order/crud.py place: note(session, order.order_id, "OrderPlaced", STARTED) ⇅ before for line in order.lines: '
    "insert(session, order_lines, order_ … _id, **line.model_dump())": ALIKE_TOGETHER,
}
"""By the cut's name (:mod:`tests.mutants.cuts`)."""
