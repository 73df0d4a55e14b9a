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
TWO_PRUNE = "On PostgreSQL two that prune at once would wait for each other; nothing is wrong then."
REFUSED = (
    "SQLite has one writer.  On PostgreSQL who is refused at this moment could be deleted: "
    "tests/rest/test_deletions_that_meet_orders.py fails."
)

UNDER_LOCK = "Whoever is told looks when the lock is free, and then both is done."
LOOP_STOPS = "A loop that is told to stop finishes its turn."
PUBLIC = "It only tells the type checker what is for others."
REASONS = "Each of them refuses; only which reason is told first would differ."
ENDS = "A function that ends answers None as well."
GOES_ALONG = "An exclusive queue goes with its connection in any case."
ONE_MORE = "It is tried once more or less."
NO_LOCK = "It only spares taking a lock."
IN_ONE_TURN = "Pika is told all of it before it reads on."
ONE_KIND = "An error is of one of these kinds only."
STRANGERS = "They have nothing to do with each other."
ALONE = "One alone goes the way of many; it is only slower."
EMPTY = "It spares a transaction that does nothing."
QUICK = "Only PostgreSQL goes there: tests/unit/patterns/test_quick_postgresql.py fails, or test_together.py."
ONLY_SLOWER = "It is only slower."
STRONGER = "A lock on PostgreSQL that holds up more than it must; nothing is wrong then."

SPARED: dict[str, str] = {
    "patterns/database.py module: – entry \"postgresql\": QuickPostgreSQL": QUICK,
    "patterns/database.py Database._session: – operand self.session_type":
        "Only the lab has sessions of its own: tests/simulation and tests/interleaving fail.",
    "patterns/sql.py given_rows: each = func.json_each(bindparam(name, type_=_InRows)).table_valued(\"value\").c.value "
    "⇅ before if dialect == \"postgresql\": read = func.json_to_recordset(ca … one] for one in columns))": ONLY_MADE,
    "patterns/sql.py module: – entry \"postgresql\": str": QUICK,
    "patterns/retry.py readable: – if words.isprintable(): return words[:REASON_LETTERS]": ONLY_SLOWER,
    "patterns/retry.py readable: – return words[:REASON_LETTERS]": ONLY_SLOWER,
    "patterns/listener.py addressed: never mode == context.mode: replace(context, mode=mode)": ONLY_SLOWER,
    "patterns/inbox.py first_times: ordered = sorted({row[\"message_id\"]: row for row in rows}.va … "
    ": str(row[\"message_id\"])) ⇅ before if not rows: return set()": ONLY_MADE,
    "patterns/outbox.py claim: – argument key=lambda row: int(row.id)": "The id is the first column, and rows differ in it.",
    "patterns/outbox.py mark_sent: always message_ids": NOTHING_TO_DO,
    "patterns/voice.py Voice.say: – operand not one.is_reply (2)":
        "A reply's row is written as sent; it only spares an UPDATE.",
    "patterns/voice.py Voice.ask: asked, answers = (str(request.message_id), request.order_id), runtime().mailbox() ⇅ "
    "before if timeout <= 0 or self.link.trouble is not None or not self … eaker): yield None return": ONLY_MADE,
    "patterns/voice.py Voice._prepare: if any(wiring.hears_answers for wiring in self.wirings.value … _REPLY_TO, "
    "auto_ack=True) ⇅ before topology.declare_known(channel)": "Answers come to a queue of the broker's, which is there.",
    "patterns/voice.py Voice._answered: always request: self._awaited.get(request)": "Nobody waits for what is no request.",
    "patterns/voice.py Voice._answered: always unawaited": "To hand over nothing changes nothing.",
    "patterns/voice.py Voice._request: never heard is None: "
    "(answer.properties.correlation_id or \"\", heard.message.order_id)":
        "Answers are no broadcast, of which some could be nobody's business.",
    'patterns/voice.py Voice._request: – operand ""': "Nobody waits for what has no id.",
    "patterns/relay.py Relay.say_soon: always said": "It only spares waking the relay for nothing.",
    "patterns/relay.py Relay._round: for chore in self.chores: chore() ⇅ before self.sweep()": STRANGERS,
    "patterns/relay.py Relay._round: if runtime().monotonic() >= self._prune_at: self._prune_at = … UNE_SECONDS "
    "self._prune() ⇅ before for chore in self.chores: chore()": STRANGERS,
    "patterns/link.py Link.drain: self._opened.notify_all() ⇅ before self.stopping.set()": UNDER_LOCK,
    "patterns/link.py Link._connect: self._reads = frozenset(channel.consumers.values()) ⇅ before "
    "if self.stopping.is_set(): raise ConnectionLost(\"Stopped while connecting.\")": ONLY_MADE,
    "patterns/link.py Link._in_time: – operand self._until is not None": "A link that breaks off ends either way.",
    "patterns/connection_arrivals.py Arrivals.add: self._changed.notify_all() ⇅ before self._items.extend(came)": UNDER_LOCK,
    "patterns/connection_arrivals.py Arrivals.end: self._changed.notify_all() ⇅ before self._items.clear()": UNDER_LOCK,
    "patterns/connection_asking.py Questions.ask: self._waiting.add(future) ⇅ before self.check()":
        "Who waits is not looked at any more after the end.",
    "patterns/connection_asking.py _fail: – return": ENDS,
    "patterns/connection_asking.py understood: if isinstance(error, NoFreeChannels): return BrokerUnavailab … tMQ allows; "
    "close some.\") ⇅ before if isinstance(error, UnsupportedAMQPFieldException | ShortSt … rror).__name__} {error}\")":
        ONE_KIND,
    "patterns/connection_asking.py understood: if isinstance(error, UnsupportedAMQPFieldException | ShortSt … "
    "rror).__name__} {error}\") ⇅ before if isinstance(error, ChannelWrongStateError | ConnectionWron … or): "
    "return ending(error)": ONE_KIND,
    "patterns/connection_channel.py RabbitChannel._got: – self._getting = None": "What is answered twice is heard once.",
    "patterns/connection_channel.py RabbitChannel._opened: channel.add_callback(lambda _: self._got(None), "
    "[spec.Basic.GetEmpty], one_shot=False) ⇅ before channel.add_on_return_callback(self._confirms.returned)": IN_ONE_TURN,
    "patterns/connection_channel.py RabbitChannel._opened: channel.add_on_cancel_callback(self._consumers.cancelled) "
    "⇅ before channel.add_on_close_callback(lambda _, error: self.ended(ending(error)))": IN_ONE_TURN,
    "patterns/connection_channel.py RabbitChannel._opened: channel.add_on_return_callback(self._confirms.returned) "
    "⇅ before channel.add_on_cancel_callback(self._consumers.cancelled)": IN_ONE_TURN,
    "patterns/connection_channel.py RabbitChannel._opened: channel.confirm_delivery(self._confirms.answered, callback=done) "
    "⇅ before channel.add_callback(lambda _: self._got(None), [spec.Basic.GetEmpty], one_shot=False)": IN_ONE_TURN,
    "patterns/connection_channel.py RabbitChannel._tell: self._thread.post(lambda: action() if self._pika.is_open "
    "else None) ⇅ before self._questions.check()": "On a channel that has ended nothing is said in any case.",
    "patterns/connection_channel.py RabbitChannel.ended: self._arrivals.end(lost) ⇅ before self._confirms.end()": STRANGERS,
    "patterns/connection_channel.py RabbitChannel.ended: self._confirms.end() ⇅ before self._forget(self)": STRANGERS,
    "patterns/connection_confirms.py Confirms.publish: batch.end(understood(error)) ⇅ before self._forget(batch)": STRANGERS,
    "patterns/waiting.py Waiting.news: – if not self._bells: # without the lock: who begins to wait n … what was committed "
    "return": NO_LOCK,
    "patterns/waiting.py Waiting.news: – return": NO_LOCK,
    "patterns/topology.py declare_known: for service, wirings in _known.items(): _declare_own(declares, service, wirings) "
    "⇅ before _declare_retries(declares)": STRANGERS,
    "patterns/topology.py _declare_own: declare_queue(channel, dead_queue(service), aside_arguments(config), config) "
    "⇅ before declare_queue(channel, parked_queue(service), aside_arguments(config), config)": STRANGERS,
    "patterns/topology.py _declare_own: arguments = main_arguments(service, config) ⇅ before "
    "declare_queue(channel, dead_queue(service), aside_arguments(config), config)": ONLY_MADE,
    "patterns/topology.py _declare_retries: declare_queue(channel, name, arguments, config) ⇅ before "
    "channel.declare_exchange(name, \"fanout\")": STRANGERS,
    **{f'patterns/database.py module: – element "{name}"': PUBLIC for name in ("Database", "Session", "insert_for", "now")},
    'patterns/database.py Database._transact: – raise AssertionError("unreachable")': "It is there for the type checker.",
    "patterns/sql.py Moment.__init__: always later: [float(later)]": "What is not later is written without it all the same.",
    'patterns/envelope.py read: – operand ""': "A message without an id was refused before.",
    "patterns/envelope.py read: _check_form(delivery) ⇅ before identity(delivery)": REASONS,
    'patterns/envelope.py _check_form: if properties.content_type != "application/json": raise Unre … pplication/json is '
    'read") ⇅ before if len(delivery.body) > MAX_BYTES: raise Unreadable(f"{len(d … st {MAX_BYTES} are read")': REASONS,
    'patterns/envelope.py _check_form: if UNDECODABLE in properties.headers: raise Unreadable("its headers are no AMQP '
    'table") ⇅ before if properties.content_type != "application/json": raise Unre … pplication/json is read")': REASONS,
    'patterns/envelope.py _check_form: version = str(properties.headers.get("schema_version", SCHEMA_VERSION)) ⇅ before '
    'if UNDECODABLE in properties.headers: raise Unreadable("its headers are no AMQP table")': ONLY_MADE,
    'patterns/envelope.py _check_form: if properties.reply_to and not REPLY_TO.fullmatch(properties … to!r} is no reply '
    'queue") ⇅ before if version.split(".")[0] != SCHEMA_VERSION.split(".")[0]: ra … SCHEMA_VERSION} is read")': REASONS,
    "patterns/envelope.py _check_order: if delivery.exchange == Saga.exchange and key[1:2] != [str(o … an the body, "
    '{order_id}") ⇅ before if header is not None and header != str(order_id): raise Unr … he body says {order_id}")':
        REASONS,
    "patterns/preparing.py _verdict_to: – return None": ENDS,
    "patterns/breaker.py Breaker.admit: self._rules.half_open() ⇅ before self._trial_at = runtime().monotonic() + "
    "self._seconds": "Both are done under one lock.",
    "patterns/breaker.py Breaker.failed: always self.state == pybreaker.STATE_OPEN":
        "While it is closed nobody looks at when to try.",
    "patterns/service.py Service.__init__: topology.know(name, wirings) ⇅ before self.waiting = Waiting()": STRANGERS,
    "patterns/service.py Service.__init__: self._stopping = runtime().event() ⇅ before topology.know(name, wirings)":
        STRANGERS,
    "patterns/service.py Service.abandon: self.voice.link.abandon() ⇅ before self.relay.abandon()": STRANGERS,
    "patterns/service.py Service.abandon: self.listener.link.abandon() ⇅ before self.voice.link.abandon()": STRANGERS,
    "patterns/service.py Service.abandon: if self.has_begun: self.relay.abandon() self.voice.link.aban … "
    "f.listener.link.abandon() ⇅ before self._stopping.set()": STRANGERS,
    "patterns/service.py Service._begin: self.listener.link.start() ⇅ before self.voice.link.start()": STRANGERS,
    "patterns/service.py Service._begin: self.relay.start() ⇅ before self.listener.link.start()": STRANGERS,
    "patterns/service.py Service.__init__: keep_journal(metadata) ⇅ before if wrong := complaints(name, wirings, acts): "
    "raise WiringErr … me}: {'; '.join(wrong)}\")": "Who is refused for its wiring has no use for its tables.",
    "patterns/service.py Service.perform: if wait and runtime().monotonic() < until and any(one.awaits … "
    "self.relay.say_soon(said) ⇅ before self.waiting.news([message.order_id])": "Who waits is woken a moment later.",
    "patterns/service.py Service._act: answers = result if isinstance(result, tuple) else (result,) if result is not None "
    "else () ⇅ before look(session)": ONLY_MADE,
    "patterns/service.py Service.drain: seconds = settings().drain_seconds ⇅ before with self._beginning: # whoever is "
    "beginning says so first,  … then self._stopping.set()": ONLY_MADE,
    "patterns/wiring.py Wiring.needs: – element Needs": "No other question is about a service alone.",
    "patterns/wiring.py Wiring.once: always question not in self._found": "It only spares finding out again.",
    "patterns/wiring.py Wiring.line: – return None": ENDS,
    "patterns/parked.py ParkedQueue._each: – operand 0": "What is fetched has a tag.",
    "patterns/parked.py ParkedQueue._each: letter = parked_letter(self.service, delivery, self._hopeless) ⇅ before "
    "kept.append(delivery.tag or 0)": ONLY_MADE,
    "patterns/parked.py ParkedQueue._lock: – argument durable=False": GOES_ALONG,
    "patterns/parked.py ParkedQueue._lock: – argument auto_delete=True": GOES_ALONG,
    "patterns/parked.py ParkedQueue._lock: if runtime().monotonic() > until: raise Conflict(f\"Somebody  …  try again in a "
    "moment.\") ⇅ before try: connection.channel().declare_queue(name, durable=False, … ror.code != LOCKED: raise": ONE_MORE,
    "patterns/parked.py ParkedQueue._lock: runtime().sleep(0.05) ⇅ before if runtime().monotonic() > until: raise "
    "Conflict(f\"Somebody  …  try again in a moment.\")": ONE_MORE,
    "patterns/parked.py ParkedQueue._give_back: – argument requeue=True": "It is so unless it is told otherwise.",
    "patterns/parked.py ParkedQueue._give_back: until = runtime().monotonic() + PATIENCE_SECONDS ⇅ before "
    "channel.nack(max(held), multiple=True, requeue=True)": ONLY_MADE,
    "patterns/service.py Service.start: broker = transport() ⇅ before self.waiting.open()": STRANGERS,
    "patterns/service.py Service.drain: self.waiting.close() ⇅ before self._until, self.trouble = runtime().monotonic() + "
    'seconds, "stopping"': STRANGERS,
    "patterns/service.py Service.drain: if self.has_begun: self.listener.link.drain(seconds * EARS_SHARE) ⇅ before "
    "self.waiting.close()": STRANGERS,
    "patterns/service.py Service.stop: self.database.close() ⇅ before if not finished: get_logger(self.name).error( "
    '"Not finished  … action": "unfinished"}, )': STRANGERS,
    "patterns/service.py Service._left: – operand 0.0": "How long a stop may take is known when it asks.",
    "patterns/journal.py _pruning: – .with_for_update(skip_locked=True)": TWO_PRUNE,
    "patterns/journal.py _pruning: – argument skip_locked=True": TWO_PRUNE,
    "patterns/connection_thread.py module: – logging.getLogger(\"pika\").setLevel(logging.CRITICAL)":
        "It only keeps pika's own words out of our log.",
    "patterns/connection_thread.py PikaThread.post: self._posted.append(action) ⇅ before if self.lost is not None: "
    "raise self.lost.with_traceback(None)": "What is posted after the end is not done any more.",
    "patterns/connection_thread.py PikaThread.close: always self._thread.is_alive()":
        "To cut a line that is closed changes nothing.",
    "patterns/place_order.py _every_shape: – entry \"title\": \"product_id\"": "It is a title for readers.",
    "patterns/place_order.py _every_shape: – entry \"title\": name": "It is a title for readers.",
    'patterns/place_order.py OrderRequest._shapes: if "amount" in data and "amount_cents" not in data: data["am … '
    'cents(data.pop("amount")) ⇅ before if "product_id" in data and "items" not in data: data["items … '
    'data.pop("quantity", 1)}]': STRANGERS,
    'patterns/place_order.py _cents: if isinstance(amount, int | float) and not isinstance(amount … "): return '
    'round(exactly) ⇅ before if isinstance(amount, str) and re.fullmatch(AMOUNT, amount,  … nt(Decimal(amount) * 100)':
        "An amount is a text or a number.",
    'patterns/connection_thread.py PikaThread._refused: self._end(ConnectionLost("never connected")) ⇅ before '
    'self._opened.set_exception(BrokerUnavailable(f"RabbitMQ does … here}: {reason(error)}"))': STRANGERS,
    'patterns/connection_thread.py PikaThread._refused: self._loop.stop() ⇅ before '
    'self._end(ConnectionLost("never connected"))': LOOP_STOPS,
    "patterns/connection_thread.py PikaThread._closed: self._loop.stop() ⇅ before "
    "self._end(ConnectionLost(str(ending(error))))": LOOP_STOPS,
    "patterns/connection_thread.py PikaThread._run: self.pika.add_on_connection_unblocked_callback(lambda *_: "
    "self._block(None)) ⇅ before self.pika.add_on_connection_blocked_callback(lambda _, frame … ock(frame.method.reason))":
        IN_ONE_TURN,
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
    "patterns/listener.py Listener.handle: self._handle(self._prepared([heard for heard in map(self._re … ) if heard is not "
    "None])) ⇅ before self.counts[\"redelivered\"] += sum(delivery.redelivered for delivery in deliveries)":
        "One handles, the other counts.",
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
    "product/crud.py reserve: step.amend(session, reservations, order_id, \"RESERVED\", \"RESERVED\", amount_cents=amount) "
    "⇅ before for line in priced: step.insert(session, reservation_lines,  … _id, **line.model_dump())": ALIKE_TOGETHER,
    "product/crud.py _lines: – .where(reservation_lines.c.order_id.in_(orders))":
        "The lines of others are read as well, and shown to nobody; it is only slower.",
    "user/crud.py delete_user: user = get_user(session, user_id) ⇅ before "
    "if remove(session, users, user_id, *unused): return":
        READS_FIRST,
    "user/crud.py deposit: paid = update(users).where(users.c.id == user_id, users.c.pa … _IN_CENTS - amount_cents) "
    "⇅ before if not step.insert_once(session, deposits, id=deposit_id, ** … et_user(session, user_id)": ONLY_MADE,
    "user/crud.py hold: – .with_for_update(read=True, key_share=True)": REFUSED,
    "user/crud.py hold: – argument read=True": STRONGER,
    "user/crud.py hold: – argument key_share=True": STRONGER,
    "user/crud.py hold: known = session.execute( select(users.c.id).where(users.c.id … are=True) ).one_or_none() ⇅ before "
    "if transfer_if_enough(session, users, user_id, \"balance_cent …  is not None: return None": READS_FIRST,
    "payment/crud.py take: – return verdict.reason": STORED,
    "delivery/crud.py schedule: – return carrier.reason": STORED,
    "patterns/outbox.py _id: – return None": ENDS,
    'patterns/step.py module: – entry "preserve_rowcount": True': ROW_COUNT,
    "patterns/step.py insert_once: – argument execution_options=KEEP_ROWCOUNT": ROW_COUNT,
    "patterns/step.py undo: – return None": "It only spares an UPDATE: the row just made VOID is in no state to move.",
    'order/crud.py place: note(session, order.order_id, "OrderPlaced", STARTED) ⇅ before for line in order.lines: '
    "insert(session, order_lines, order_ … _id, **line.model_dump())": ALIKE_TOGETHER,
}
"""By the cut's name (:mod:`tests.mutants.cuts`)."""
