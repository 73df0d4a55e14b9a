"""The broker itself: which one it is, what was agreed with it, whether it takes messages, and what we may do there."""

from __future__ import annotations

from collections.abc import Iterator
from secrets import token_hex

from lab.doctor.asking import Asker
from lab.doctor.findings import Finding, ok, unchecked, warning, wrong
from lab.doctor.views import NAME
from lab.doctor.wanted import Wanted
from patterns.amqp import Channel, Connection, Outgoing, Receipt
from patterns.connection import RabbitConnection
from patterns.errors import ChannelClosed

PART = "broker"
TESTED = ("3.10.", "4.0.")
NORMAL_FRAME = 131_072
"""RabbitMQ's own frame_max; a header table must fit into one frame (https://www.rabbitmq.com/docs/configure#config-items)."""
ACCESS = "https://www.rabbitmq.com/docs/access-control#authorisation"
PATIENCE = 5.0
GIVE = "Give RABBITMQ_URL's user"


def introduced(connection: RabbitConnection) -> Iterator[Finding]:
    """Product, version, heartbeat, frame size.  That we are connected says that user, password and host are right."""
    facts = connection.facts
    name = f"{facts.product} {facts.version}, cluster {facts.cluster}; user, password and virtual host are right"
    if facts.product != "RabbitMQ":
        yield warning(PART, f"{name}.", "Only RabbitMQ is tested: expect other words for every refusal.")
    elif not facts.version.startswith(TESTED):
        yield warning(
            PART, f"{name}.  Tested are 3.10 and 4.0.", "docs/brokers.md says what to expect; below is what this one does.",
        )
    else:
        yield ok(PART, f"{name}.")
    if facts.heartbeat == 0:
        yield warning(
            PART, "No heartbeat was agreed: a connection that died silently is noticed when the kernel gives it up.",
            "Take heartbeat=0 out of RABBITMQ_URL, or set one in the server.", "https://www.rabbitmq.com/docs/heartbeats",
        )
    if 0 < facts.frame_max < NORMAL_FRAME:
        yield warning(
            PART, f"Frames have at most {facts.frame_max} bytes: a parked message's headers may not fit.",
            f"Set frame_max in the server, or in RABBITMQ_URL, to {NORMAL_FRAME}.",
        )
    if facts.heartbeat and not 0 < facts.frame_max < NORMAL_FRAME:
        yield ok(PART, f"Heartbeat every {facts.heartbeat} s, frames of at most {facts.frame_max} bytes.")


def takes_messages(connection: Connection) -> Finding:
    """One message to nobody comes back at once; a broker short of memory or disk keeps us waiting.

    The connection is of no use afterwards: a broker that blocks it reads nothing more from it.
    """
    answer = Asker(connection).ask(_say_to_nobody)
    if isinstance(answer, ChannelClosed):
        return wrong(PART, f"Publishing is refused: {answer.code} {answer.text}", f"{GIVE} write permission.", ACCESS)
    blocked = getattr(connection, "blocked", None)
    if blocked or answer == [Receipt.UNKNOWN]:
        return wrong(
            PART, f"It takes no messages ({blocked or f'silent for {PATIENCE:g} s'}): services wait, and orders are late.",
            "Free memory or disk on the broker, or start the consumers that empty it: rabbitmq-diagnostics alarms.",
            "https://www.rabbitmq.com/docs/alarms",
        )
    return ok(PART, "It takes messages and returns what nobody would get (mandatory).")


def _say_to_nobody(channel: Channel) -> list[Receipt]:
    receipts = channel.publish([Outgoing("", f"{NAME}.{token_hex(4)}", b"")], timeout=PATIENCE)
    if not channel.is_open:
        channel.publish([])  # raises what closed it
    return receipts


def may_write(connection: RabbitConnection, wanted: Wanted) -> Iterator[Finding]:
    """We may publish everything that the wiring says; tried in transactions that are rolled back."""
    refused = {
        exchange: why for exchange, keys in wanted.writes.items()
        if (why := connection.refused_to_write(exchange, sorted(keys))) is not None
    }
    for exchange, why in refused.items():
        if why.startswith("404"):
            continue  # said among the exchanges
        where = exchange or "the default exchange"
        yield wrong("permissions", f"May not publish to {where}: {why}", f"{GIVE} write permission.", ACCESS)
    if not refused:
        yield ok("permissions", f"May publish to all {len(wanted.writes)} exchanges, with every key of the wiring.")


def may_bind(asker: Asker, wanted: Wanted) -> Iterator[Finding]:
    """We may bind and read: asked by undoing a binding that nobody has."""
    refused = []
    for exchange, queue in dict.fromkeys((binding.exchange, binding.queue) for binding in wanted.bindings):
        answer = asker.ask(lambda channel, e=exchange, q=queue: channel.unbind(q, e, f"{NAME}.{token_hex(4)}"))  # type: ignore[misc]
        if isinstance(answer, ChannelClosed) and answer.code != 404:
            refused.append(f"{queue} to {exchange}: {answer.code} {answer.text}")
    for why in refused:
        yield wrong("permissions", f"May not bind {why}", f"{GIVE} write permission on queues, read on exchanges.", ACCESS)
    if not refused:
        yield ok("permissions", "May bind every queue to its exchanges, and give them their dead-letter exchanges.")


def silent(why: str) -> Finding:
    """What is said of arguments where they cannot be tried out."""
    return unchecked("arguments", f"Nothing could be tried out: {why}", "Mend that first, then look again.")
