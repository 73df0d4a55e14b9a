"""Cuts that no test without a server misses, each with the reason.

Some behave alike, or are only slower; others are noticed where transactions really meet, on PostgreSQL.
"""

from __future__ import annotations

ALIKE_TOGETHER = "Both are written in the one transaction, and neither looks at the other."
ROW_COUNT = (
    "SQLite counts in any case.  On PostgreSQL only a table with defaults that Python makes needs it, and no step has such."
)

NOTHING_TO_DO = "It spares a statement that changes nothing."
ONLY_MADE = "What changes places is only made there, and used later."
READS_FIRST = "It only reads, and the guard stands in the statement that writes."
STORED = "The stored answer is read instead, and is the same."
TWO_RELAYS = "SQLite has one writer.  On PostgreSQL two relays meet: tests/interleaving, \"two relays\"."
REFUSED = (
    "SQLite has one writer.  On PostgreSQL who is refused at this moment could be deleted: "
    "tests/rest/test_deletions_that_meet_orders.py fails."
)

ALONE = "One alone goes the way of many; it is only slower."
EMPTY = "It spares a transaction that does nothing."
STRONGER = "A lock on PostgreSQL that holds up more than it must; nothing is wrong then."

SPARED: dict[str, str] = {
    "patterns/inbox.py first_times: ordered = sorted({row[\"message_id\"]: row for row in rows}.va … "
    ": str(row[\"message_id\"])) ⇅ before if not rows: return set()": ONLY_MADE,
    "patterns/outbox.py module: – .with_for_update(skip_locked=True)": TWO_RELAYS,
    "patterns/outbox.py module: – argument skip_locked=True": TWO_RELAYS,
    "patterns/outbox.py claim: – argument key=lambda row: int(row.id)": "The id is the first column, and rows differ in it.",
    "patterns/outbox.py mark_sent: always message_ids": NOTHING_TO_DO,
    "patterns/voice.py Voice.say: – operand not one.is_reply (2)":
        "A reply's row is written as sent; it only spares an UPDATE.",
    "patterns/retry.py Retries.again_or_park: headers = {**_remembered(delivery, reason), \"attempt\": attempt + 1} "
    "⇅ before if attempt == len(delays): self.park(delivery, f\"failed {att … }\", \"failed\") return None": ONLY_MADE,
    "patterns/hearing.py Hearing.__init__: for message in accepts(line.handler): self._lines.setdefault … "
    "ssage.__name__] = message ⇅ before if address.broadcast: self._broadcast.add(queue)": ONLY_MADE,
    "patterns/listener.py deliver: todo.append(heard) ⇅ before first.discard(heard.id)": ONLY_MADE,
    "patterns/listener.py Listener._prepare: channel.qos(settings().batch_size) ⇅ before topology.declare(channel, "
    "self.service, self.wirings)": "It is about consumers, and these come later.",
    "patterns/listener.py Listener._work: – operand 0": "What is heard at a queue of ours has a tag.",
    "patterns/listener.py Listener._handle: for heard in batch if len(batch) > 1 else (): self._handle([heard]) ⇅ before "
    "if len(batch) == 1: self._mishaps.failed(batch[0].delivery, error)": "Only one of the two has anything to do.",
    "patterns/listener.py Listener._handle: self._news(heard.message.order_id for heard in batch) ⇅ before "
    'self.counts["handled"] += len(batch)': "One wakes who waits, the other counts.",
    "patterns/listener.py Listener._handle: self.voice.say(said) ⇅ before "
    "self._news(heard.message.order_id for heard in batch)": "Who waits is woken a moment later.",
    "patterns/listener.py Listener._work: – operand 0 (2)": "What is heard at a queue of ours has a tag.",
    "patterns/listener.py Listener._handle: – if not batch: return": EMPTY,
    "patterns/listener.py Listener._handle: – return": EMPTY,
    "patterns/listener.py Listener._work: always first_time: [first_time]": "To handle no message changes nothing.",
    'patterns/listener.py addressed: – operand ""': "A message without an id is unreadable, and never gets here.",
    "patterns/together.py _side_by_side: – if len(works) == 1: return "
    "{number: work(session) for number, work in works.items()}":
        ALONE,
    "patterns/together.py _side_by_side: – return {number: work(session) for number, work in works.items()}": ALONE,
    "patterns/together.py _side_by_side: always not run.dead": "To end one that has ended changes nothing.",
    "product/crud.py reserve: always len(lines) > 1 or expected_cents is not None: session.begin_nested()":
        "A savepoint that nobody needs; it is only slower.",
    "product/crud.py reserve: for line in priced: step.insert(session, reservation_lines,  … _id, **line.model_dump()) "
    "⇅ before if refused is not None: if attempt is not None: attempt.roll … n=refused) return refused":
        "What is written for lines that are refused goes back with the savepoint.",
    "product/crud.py reserve: step.move(session, reservations, order_id, \"RESERVED\", \"RESERVED\", amount_cents=amount) "
    "⇅ before for line in priced: step.insert(session, reservation_lines,  … _id, **line.model_dump())": ALIKE_TOGETHER,
    "user/crud.py delete_user: user = get_user(session, user_id) ⇅ before "
    "if remove(session, users, user_id, *unused): return":
        READS_FIRST,
    "user/crud.py deposit: paid = update(users).where(users.c.id == user_id, users.c.pa … _IN_CENTS - amount_cents) "
    "⇅ before if not step.insert_once(session, deposits, id=deposit_id, ** … et_user(session, user_id)": ONLY_MADE,
    "user/crud.py hold: – .with_for_update(read=True, key_share=True)": REFUSED,
    "user/crud.py hold: – argument read=True": STRONGER,
    "user/crud.py hold: – argument key_share=True": STRONGER,
    "user/crud.py hold: known = session.execute( select(users.c.id).where(users.c.id … are=True) ).one_or_none() ⇅ before "
    "if transfer(session, users, user_id, \"balance_cents\", \"held_ …  is not None: return None": READS_FIRST,
    "payment/crud.py take: – return verdict.reason": STORED,
    "delivery/crud.py schedule: – return carrier.reason": STORED,
    "patterns/outbox.py _id: – return None": "A function that ends answers None as well.",
    'patterns/step.py module: – entry "preserve_rowcount": True': ROW_COUNT,
    "patterns/step.py insert_once: – argument execution_options=KEEP_ROWCOUNT": ROW_COUNT,
    "patterns/step.py undo: – return None": "It only spares an UPDATE: the row just made VOID is in no state to move.",
    'order/crud.py place: note(session, order.order_id, "OrderPlaced", STARTED) ⇅ before for line in order.lines: '
    "insert(session, order_lines, order_ … _id, **line.model_dump())": ALIKE_TOGETHER,
}
"""By the cut's name (:mod:`tests.mutants.cuts`)."""
