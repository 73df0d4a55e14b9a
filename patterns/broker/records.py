"""What survives a restart: the journal's records, how they rebuild a machine, and which ones a machine boils down to.

::

    ("exchange", name, kind, auto_delete, arguments)      ("undeclare_exchange", name)
    ("queue", name, auto_delete, arguments)               ("undeclare_queue", name)
    ("bind", exchange, queue, key, arguments)             ("unbind", exchange, queue, key, arguments)
    ("put", message, [(queue, entry id, expires at)])     one record, in however many queues it is
    ("returned", queue, entry id, times)                  a quorum queue's delivery count
    ("gone", queue, entry id)                             acknowledged, expired, purged, dead-lettered
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator

from patterns.broker.arguments import understand
from patterns.broker.data import Entry, JournalEntry, Message, Queue
from patterns.broker.exchanges import Binding, Exchange
from patterns.broker.machine import Machine
from patterns.errors import OrderflowError


def rebuild(machine: Machine, records: Iterable[JournalEntry], now: float) -> Machine:
    """Fill a new machine with what the records say; answers the same machine.

    Whatever is still in a queue counts as redelivered: perhaps somebody had it when the broker went down.
    """
    queues: dict[str, dict[int, Entry]] = {}
    for record in records:
        _apply(machine, queues, record, now)
    for name, entries in queues.items():
        queue = machine.queues[name]
        queue.ready = deque(entries[number] for number in sorted(entries))
        if queue.expires is not None or (queue.ready and queue.ready[0].expires_at is not None):
            machine.timed[name] = queue
    return machine


def _apply(machine: Machine, queues: dict[str, dict[int, Entry]], record: JournalEntry, now: float) -> None:
    match record:
        case ("put", message, places):
            for queue, number, expires_at in places:
                queues[queue][number] = Entry(number, message, expires_at, redelivered=True, lasting=True)
                machine.serial = max(machine.serial, number)
        case ("gone", queue, number):
            if queue in queues:  # else it was deleted while somebody still held the message
                queues[queue].pop(number, None)
        case ("returned", queue, number, times):
            if number in queues.get(queue, ()):
                queues[queue][number].returns = times
        case ("exchange", name, kind, auto_delete, arguments):
            machine.exchanges[name] = Exchange(name, kind, True, auto_delete, arguments)
        case ("undeclare_exchange", name):
            machine.exchanges.pop(name, None)
        case ("queue", name, auto_delete, arguments):
            machine.queues[name] = understand(
                Queue(name, auto_delete=auto_delete, arguments=arguments, unused_since=now)
            )
            queues[name] = {}
        case ("undeclare_queue", name):
            _forget_queue(machine, machine.queues.pop(name))
            del queues[name]
        case ("bind", exchange, queue, key, arguments):
            machine.exchanges[exchange].add(Binding(machine.queues[queue], key, arguments))
        case ("unbind", exchange, queue, key, arguments):
            machine.exchanges[exchange].remove(Binding(machine.queues[queue], key, arguments).identity)
        case _:
            raise OrderflowError(
                f"The embedded broker's journal has a record {record[0]!r} that this version does not know: run the "
                "version that wrote it, or move the folder away to start afresh"
            )


def _forget_queue(machine: Machine, queue: Queue) -> None:
    for exchange in machine.exchanges.values():
        for identity in [identity for identity in exchange.bindings if identity[0] == queue.name]:
            exchange.remove(identity)


def survivors(machine: Machine) -> Iterator[JournalEntry]:
    """The records that rebuild what of this machine survives a restart, and nothing else."""
    for exchange in machine.exchanges.values():
        if exchange.durable and exchange.name and not exchange.name.startswith("amq."):
            yield ("exchange", exchange.name, exchange.kind, exchange.auto_delete, exchange.arguments)
    lasting = [queue for queue in machine.queues.values() if queue.lasting]
    for queue in lasting:
        yield ("queue", queue.name, queue.auto_delete, queue.arguments)
    for exchange in machine.exchanges.values():
        for binding in exchange.bindings.values():
            if exchange.durable and binding.queue.lasting:
                yield ("bind", exchange.name, binding.queue.name, binding.key, binding.arguments)
    yield from _messages(machine, lasting)


def _messages(machine: Machine, lasting: Iterable[Queue]) -> Iterator[JournalEntry]:
    places: dict[int, tuple[Message, list[tuple[str, int, float | None]]]] = {}
    counts: list[JournalEntry] = []
    for queue, entry in [*_resting(lasting), *_in_flight(machine)]:
        if entry.lasting and not queue.deleted:
            _, where = places.setdefault(id(entry.message), (entry.message, []))
            where.append((queue.name, entry.id, entry.expires_at))
            if entry.returns:
                counts.append(("returned", queue.name, entry.id, entry.returns))
    for message, where in places.values():
        yield ("put", message, where)
    yield from counts


def _resting(queues: Iterable[Queue]) -> Iterator[tuple[Queue, Entry]]:
    for queue in queues:
        yield from ((queue, entry) for entry in queue.ready)
        yield from ((queue, entry) for entry, _ in queue.stuck.values())


def _in_flight(machine: Machine) -> Iterator[tuple[Queue, Entry]]:
    for channel in machine.channels.values():
        yield from ((queue, entry) for entry, queue, _ in channel.unacked.values())


def restarted(machine: Machine, now: float, *, life: str) -> Machine:
    """The broker after a restart: what was durable is there, nobody is connected."""
    fresh = Machine(choose=machine.choose, life=life, journaling=machine.journaling)
    return rebuild(fresh, survivors(machine), now)
