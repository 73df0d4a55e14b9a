"""What befalls processes, the broker, the databases and the network: faults that may come at any place."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from lab.simulation.scheduler import Process
from patterns import topology
from patterns.amqp import Outgoing, Properties
from patterns.errors import BrokerUnavailable
from patterns.message import MAX_BYTES
from patterns.shop import SERVICES

if TYPE_CHECKING:
    from lab.simulation.world import World

STALL_SECONDS = (0.01, 0.3, 2.0, 8.0)
STOP_SECONDS = (1.0, 4.0, 20.0)
SLOW_FOR_SECONDS = 5.0
OUTAGE_SECONDS = (0.2, 2.0, 8.0)
CLOCK_JUMPS = (-3600.0, 3600.0)

DATABASE_CLOCK_JUMPS = (-2.0, -0.5, 0.5, 2.0, 5.0, 3600.0)
"""By the database's clock rows fall due: an hour back, nothing would be due for an hour.  That is no fault to survive."""

HEARTBEAT_SECONDS = 8.0
"""A process that is stopped for longer than two missed heartbeats has lost its connections when it goes on."""

SAID = (
    "SELECT message_id, exchange, routing_key, body, correlation_id, type, headers FROM outbox "
    "WHERE address <> 'answer' ORDER BY id"
)

BODIES: Mapping[str, Callable[[bytes], bytes]] = {
    "no JSON": lambda _: b"\x00\xff{",
    "no message": lambda _: b'{"order_id": 7}',
    "too large": lambda body: body + b" " * MAX_BYTES,
    "a list": lambda body: b"[" + body + b"]",
}
"""Poison: what it is, made from a healthy body."""


def befall(world: World, kind: str, process: Process) -> None:
    """Let a fault of this kind come; ``process`` is whoever was at the place."""
    what: dict[str, Callable[[World, Process], object]] = {
        "crash": lambda world, process: world.crash(process), "terminate": _terminate, "stall": _stall, "stop": _stop,
        "slow": _slow, "swizzle": _swizzle, "clock jump": _jump, "broker restart": _broker_restart,
        "broker outage": _broker_outage, "broker blocked": _block, "connection lost": _lose,
        "channel closed": lambda world, process: world.broker.close_channels(f"{process.name}/"),
        "consumer cancelled": lambda world, process: world.broker.cancel_consumers(f"{process.name}/"),
        "database outage": _database_outage, "database clock jump": _jump_database,
        "duplicate": partial(_say_again, new=False), "replay": partial(_say_again, new=True), "poison": _poison,
    }
    what[kind](world, process)


# -- processes


def _stall(world: World, _: Process) -> None:
    world.scheduler.wait(world.scheduler.chance.choice(STALL_SECONDS))


def _stop(world: World, process: Process) -> None:
    """SIGSTOP, and SIGCONT later: it goes on as if nothing had been, perhaps without its connections."""
    seconds = world.scheduler.chance.choice(STOP_SECONDS)
    process.stopped_until = world.scheduler.now + seconds
    if seconds > 2 * HEARTBEAT_SECONDS:
        world.later(2 * HEARTBEAT_SECONDS, lambda: _lose(world, process))
    world.scheduler.may_switch()


def _slow(world: World, process: Process) -> None:
    """Each of its calls takes long for a while: its queues grow."""
    process.slow_until = world.scheduler.now + SLOW_FOR_SECONDS


def _swizzle(world: World, _: Process) -> None:
    """Some stop, one after another, and go on in another order."""
    for instance in world.instances:
        if world.scheduler.chance.random() < 0.5:
            instance.process.stopped_until = world.scheduler.now + world.scheduler.chance.uniform(0.1, 6)


def _jump(world: World, process: Process) -> None:
    """The machine's clock is wrong from now on, as far as this process knows."""
    process.skew = world.scheduler.chance.choice(CLOCK_JUMPS)


def _terminate(world: World, process: Process) -> None:
    """SIGTERM, as a rolling restart does: it finishes what is in hand, ends, and comes back."""
    instance = next((one for one in world.instances if one.process is process and one.running is not None), None)
    if instance is None or instance.running is None:
        return
    running, instance.running = instance.running, None

    def goodbye() -> None:
        running.stop()
        world.crash(process)

    world.scheduler.spawn("sigterm", process, goodbye)


# -- the broker and the way to it


def _lose(world: World, process: Process) -> None:
    world.broker.kill(f"{process.name}/")


def _block(world: World, _: Process) -> None:
    """A memory or disk alarm: the broker takes no messages for a while."""
    world.blocked_until = world.scheduler.now + world.scheduler.chance.choice(OUTAGE_SECONDS)


def _broker_restart(world: World, _: Process) -> None:
    """Down and up again at once; what is not durable is gone."""
    world.broker.restart()
    world.broker_is_up = True


def _broker_outage(world: World, _: Process) -> None:
    if world.broker_is_up:
        world.broker.stop()
        world.broker_is_up = False

        def over() -> None:
            if not world.broker_is_up:
                _broker_restart(world, _)

        world.later(world.scheduler.chance.choice(OUTAGE_SECONDS), over)


# -- databases


def _database_outage(world: World, _: Process) -> None:
    """One database goes down, with every transaction that is open, and comes back."""
    service = world.scheduler.chance.choice(SERVICES)
    world.stores[service].go_down(world.scheduler.chance.choice(OUTAGE_SECONDS))


def _jump_database(world: World, _: Process) -> None:
    service = world.scheduler.chance.choice(SERVICES)
    world.stores[service].skew += world.scheduler.chance.choice(DATABASE_CLOCK_JUMPS)


# -- messages nobody of ours says


def _said(world: World) -> list[Any]:
    return [row for service in SERVICES if not world.stores[service].busy for row in world.stores[service].rows(SAID)]


def _say_again(world: World, _: Process, *, new: bool) -> None:
    """Somebody publishes an old message of an outbox once more: the same, or under a new id as operators do."""
    said = _said(world)
    if said:
        replay(world, *world.scheduler.chance.choice(said), new=new)


def replay(
    world: World, message_id: str, exchange: str, key: str, body: str, correlation: str, kind: str, headers: str, *,
    new: bool,
) -> None:
    """Publish an outbox row's message from outside."""
    again = f"{world.scheduler.chance.getrandbits(128):032x}" if new else message_id
    properties = Properties(
        message_id=str(UUID(again)), type=kind, correlation_id=correlation, app_id="operator", headers=json.loads(headers),
    )
    _publish(world, Outgoing(exchange, key, body.encode(), properties, mandatory=False))


def _poison(world: World, _: Process) -> None:
    """A message that can never be handled; it must be parked, and hold up nothing."""
    said, chance = _said(world), world.scheduler.chance
    if not said:
        return
    _, _, _, body, correlation, _, headers = chance.choice(said)
    queue, kind = chance.choice(world.understood)
    spoilt = BODIES[chance.choice(sorted(BODIES))](body.encode())
    message_id = str(UUID(f"{chance.getrandbits(128):032x}"))
    properties = Properties(
        message_id=message_id, type=kind, correlation_id=correlation, app_id="stranger", headers=json.loads(headers))
    if _publish(world, Outgoing("", queue, spoilt, properties, mandatory=False)):
        world.poison[message_id] = queue


def _publish(world: World, message: Outgoing) -> bool:
    try:
        connection = world.broker.connect("nature")
    except BrokerUnavailable:
        return False
    connection.channel().publish([message])
    connection.close()
    return True


def parked_ids(world: World) -> set[str]:
    """What is parked, by message id; looking takes nothing away."""
    connection = world.broker.connect("nature")
    channel = connection.channel()
    found = set()
    for service in SERVICES:
        while (delivery := channel.get(topology.parked_queue(service))) is not None:
            found.add(delivery.properties.message_id or "")
    connection.close()
    return found
