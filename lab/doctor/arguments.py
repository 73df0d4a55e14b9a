"""Are queue arguments honoured by this broker, or silently ignored?  Seen by using them, not by its version."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from lab.doctor.bench import SAFELY, SOON, Bench, bench, dead_lettered_to, why_dead
from lab.doctor.findings import Finding, ok, unchecked, warning, wrong
from patterns.amqp import DIRECT_REPLY_TO, Connection, Receipt
from patterns.errors import ChannelClosed

PART = "arguments"
QUORUM = "https://www.rabbitmq.com/docs/quorum-queues"
POISON = f"{QUORUM}#poison-message-handling"
UPGRADE = "Use RabbitMQ 3.10 or newer, with all feature flags enabled (rabbitmqctl enable_feature_flag all)."
LIMIT, MOST = 2, 30
"""A delivery limit to try, and how often anything is tried: enough to see RabbitMQ 4's own limit of 20."""


def tried_out(connection: Connection) -> Iterator[Finding]:
    """Each argument that the shop relies on, and some that it must not rely on."""
    for trial in (delivery_limit, time_to_live, full_queue, returned, answered, own_limit, nacks, delayed_retry):
        try:
            with bench(connection) as place:
                yield trial(place)
        except ChannelClosed as refusal:
            yield _refused(trial, refusal)


def _refused(trial: Callable[[Bench], Finding], refusal: ChannelClosed) -> Finding:
    what = f"{trial.__name__.replace('_', ' ')}: {refusal.code} {refusal.text}"
    if refusal.code == 403:
        return unchecked(PART, what, "Allow the user to configure, write and read orderflow.doctor.*, to have it tried out.")
    if trial is delayed_retry:
        return ok(PART, "x-delayed-retry-… is refused; the retry queues do without it.", f"{QUORUM}#delayed-retry")
    return wrong(PART, what, UPGRADE, QUORUM)


def delivery_limit(place: Bench) -> Finding:
    """A message that is given back again and again is dead-lettered, at least once, and not dropped."""
    dead = place.queue(delivery_limit=1000)
    queue = place.queue(delivery_limit=LIMIT, **dead_lettered_to(dead))
    number, reason = place.give_back(queue, dead, "reject", MOST)
    if reason == "delivery_limit":
        what = f"x-delivery-limit={LIMIT}, dead-lettering at least once: dead-lettered after {number} deliveries."
        return ok(PART, what, POISON)
    what = f"x-delivery-limit={LIMIT} is ignored: delivered {number} times, and then {reason or 'nothing'}."
    return wrong(PART, what, UPGRADE, POISON)


def time_to_live(place: Bench) -> Finding:
    """The retry ladder: what expires in a quorum queue goes, with its own key, back to the queue of that name."""
    back = place.queue(delivery_limit=1000)
    waiting = place.queue(message_ttl=100, dead_letter_exchange="", **SAFELY)
    place.hear(back)
    place.say(back, exchange=place.exchange_before(waiting))
    source = "https://www.rabbitmq.com/docs/ttl"
    if (delivery := place.next()) is not None and why_dead(delivery) == "expired":
        return ok(PART, "x-message-ttl on quorum queues: what expires comes back to its own queue; retries work.", source)
    return wrong(PART, f"x-message-ttl=100 on a quorum queue is ignored: nothing came back in {SOON:g} s.", UPGRADE, source)


def full_queue(place: Bench) -> Finding:
    """A full queue refuses instead of dropping."""
    queue = place.queue(max_length=1, overflow="reject-publish")
    receipts = [place.say(queue) for _ in range(MOST)]  # each confirmed before the next: it refuses one or two late
    source = "https://www.rabbitmq.com/docs/maxlength#overflow-behaviour"
    if [Receipt.REFUSED] in receipts:
        return ok(PART, "x-overflow=reject-publish: a full queue says no (basic.nack), and drops nothing.", source)
    return wrong(PART, "x-overflow=reject-publish is ignored: a full queue confirmed what it dropped.", UPGRADE, source)


def returned(place: Bench) -> Finding:
    """A mandatory message that nobody would get is returned."""
    if place.say(f"{place.queue()}.nobody") == [Receipt.RETURNED]:
        return ok(PART, "mandatory: a message for a queue that is not there is returned, not confirmed away.")
    return wrong(PART, "mandatory is ignored: a message to no queue is confirmed.", "This broker loses messages.")


def answered(place: Bench) -> Finding:
    """Direct reply-to: the answer to a request reaches its asker."""
    queue = place.queue(delivery_limit=1000)
    place.channel.consume(DIRECT_REPLY_TO, auto_ack=True)
    place.hear(queue)
    place.say(queue, reply_to=DIRECT_REPLY_TO)
    source = "https://www.rabbitmq.com/docs/direct-reply-to"
    if (request := place.next()) is not None and request.properties.reply_to:
        [receipt] = place.say(request.properties.reply_to, correlation_id="answer")
        answer = place.next()
        if answer is not None and answer.properties.correlation_id == "answer":
            told = "returned, though it arrives: so ours are not" if receipt is Receipt.RETURNED else receipt.value
            return ok(PART, f"Direct reply-to works; an answer that is mandatory is {told}.", source)
    return wrong(PART, "Direct reply-to does not bring answers: mode rpc will end every wait with 202.", UPGRADE, source)


def own_limit(place: Bench) -> Finding:
    """What a quorum queue without a limit of its own does: no matter to us, good to know for others."""
    dead = place.queue(delivery_limit=1000)
    number, reason = place.give_back(place.queue(**dead_lettered_to(dead)), dead, "reject", MOST)
    if reason:
        what = f"gives a message up after {number} deliveries"
    else:
        what = f"delivers a message for ever ({number} times tried)"
    return ok(PART, f"A quorum queue without x-delivery-limit {what}; ours all have one.", POISON)


def nacks(place: Bench) -> Finding:
    """Whether what is given back by basic.nack counts, too."""
    dead = place.queue(delivery_limit=1000)
    queue = place.queue(delivery_limit=LIMIT, **dead_lettered_to(dead))
    number, reason = place.give_back(queue, dead, "nack", MOST)
    source = "https://www.rabbitmq.com/docs/4.3/nack"
    if reason:
        return ok(PART, f"basic.nack counts as a delivery: dead-lettered after {number}.", source)
    return warning(
        PART, "basic.nack does not count towards x-delivery-limit: a message nacked for ever is never given up.",
        "The shop's listeners give nothing back; in code of your own use basic.reject.", source,
    )


def delayed_retry(place: Bench) -> Finding:
    """Whether the broker would delay what is given back: an argument that older versions accept and ignore."""
    queue = place.queue(delivery_limit=1000, delayed_retry_type="all", delayed_retry_min=1000, delayed_retry_max=1000)
    place.hear(queue)
    place.say(queue)
    if (delivery := place.next()) is None:
        return wrong(PART, "A message in a quorum queue is not delivered.", UPGRADE, QUORUM)
    began = time.monotonic()
    place.channel.reject(delivery.tag or 0, requeue=True)
    place.next()
    seconds = time.monotonic() - began
    source = f"{QUORUM}#delayed-retry"
    told = "honoured" if seconds >= 0.9 else "accepted and silently ignored"
    what = f"x-delayed-retry-min=1000 is {told}: delivered again after {seconds * 1000:.0f} ms."
    return ok(PART, f"{what}  The retry queues do without it.", source)
