"""The embedded broker and RabbitMQ, doing the same things at the same time; the first difference is reported.

What RabbitMQ promises no order for is kept out: dead letters of full or expiring queues have a queue to themselves (those
of quorum queues are left out), a queue has at most one consumer, what was fetched from a quorum queue is acknowledged at
once, and only what one consumer holds of one queue is settled together.  So are three things RabbitMQ 3.10 does and
nobody should rely on: a quorum queue refuses a little later than its x-max-length says, a consumer gets one message too
many after another reached its delivery limit, and a queue declared anew as another type may cost the connection.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from lab.differential.likeness import plain_headers
from patterns.amqp import Cancelled, Channel, Connection, Delivery, Outgoing, Properties, Transport
from patterns.errors import ChannelClosed, ConnectionLost

PATIENCE = 5.0
"""How long RabbitMQ may take until it shows what the embedded broker shows at once."""
KEYS = ("a", "b", "a.b", "a.b.c", "", "b..a")
PATTERNS = ("a", "a.*", "#", "*.b.#", "", "a.#.c")
HEADERS = ({}, {"k": 1}, {"k": "1", "j": None})
WANTED = (None, {"x-match": "any", "k": 1}, {"k": "1"}, {"j": None, "x-match": "all"})
MOVES = {
    "publish": 10, "settle": 8, "get": 5, "consume": 3, "bind": 3, "cancel": 1, "unbind": 1, "reopen": 1, "purge": 0.5,
    "redeclare": 0.5, "delete": 0.4, "err": 0.4,
}


class Different(AssertionError):
    """The two brokers differ; says in what, and what was done before."""


@dataclass
class Client:
    """One client of both brokers: a channel on each, and what it holds."""

    connections: tuple[Connection, Connection]
    channels: tuple[Channel, Channel]
    held: list[tuple[Delivery, Delivery]] = field(default_factory=list)
    consumers: dict[str, tuple[str, str]] = field(default_factory=dict)  # queue -> the consumer's tag on each

    @classmethod
    def of(cls, sides: tuple[Transport, Transport], name: str) -> Client:
        connections = (sides[0].connect(name), sides[1].connect(name))
        return cls(connections, (connections[0].channel(), connections[1].channel()))


class SideBySide:
    """Makes random moves on both sides until they differ."""

    def __init__(self, embedded: Transport, real: Transport, seed: int) -> None:
        self.random = random.Random(seed)
        self.sides = (embedded, real)
        self.prefix = f"s{seed}."
        self.clients = [Client.of(self.sides, name) for name in ("one", "two")]
        self.witness = Client.of(self.sides, "witness")
        self.queues: dict[str, dict[str, Any]] = {}
        self.exchanges = [self.prefix + kind for kind in ("topic", "fanout", "headers")]
        self.said = self.made = 0
        self.history: list[str] = []

    def run(self, moves: int) -> None:
        """Declare something, then make this many moves."""
        first = self.clients[0]
        for name in self.exchanges:
            alternate = {"alternate-exchange": self.exchanges[1]} if name.endswith("topic") else None
            self.same(first, "declare_exchange", name, name.removeprefix(self.prefix), arguments=alternate)
        for _ in range(self.random.randint(2, 4)):
            self.make_queue(first)
        for _ in range(moves):
            [move] = self.random.choices(list(MOVES), list(MOVES.values()))
            client = self.random.choice(self.clients)
            getattr(self, move)(client, self.random.choice(list(self.queues)))
            self.compare()

    def close(self) -> None:
        for client in (*self.clients, self.witness):
            for connection in client.connections:
                connection.close()

    # --- moves ---

    def make_queue(self, client: Client) -> None:
        chance, self.made = self.random.random, self.made + 1
        name = f"{self.prefix}q{self.made}"
        quorum = chance() < 0.5
        arguments: dict[str, Any] = {"x-queue-type": "quorum" if quorum else "classic"}
        if quorum and chance() < 0.6:
            arguments["x-delivery-limit"] = 50
        kind = self.random.choice(["plain", "plain", "short", "passing"])
        if kind == "short":
            arguments["x-max-length"] = self.random.randint(1, 3)
            if not quorum and chance() < 0.5:
                arguments["x-overflow"] = "reject-publish"
        elif kind == "passing" and not quorum:
            arguments["x-message-ttl"] = 0
        if kind != "plain" and not quorum:
            arguments |= {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": f"{name}.dead"}
            self.queues[f"{name}.dead"] = {}
            self.same(client, "declare_queue", f"{name}.dead")
        elif kind == "plain" and chance() < 0.6:
            arguments["x-dead-letter-exchange"] = self.random.choice(["", *self.exchanges[:2]])
            if chance() < 0.7:
                arguments["x-dead-letter-routing-key"] = self.random.choice([f"{self.prefix}q1", "a.b"])
        self.queues[name] = arguments
        self.same(client, "declare_queue", name, arguments=arguments)

    def publish(self, client: Client, queue: str) -> None:
        messages = []
        for _ in range(self.random.randint(1, 3)):
            self.said += 1
            exchange = self.random.choice(["", *self.exchanges])
            key = self.random.choice([queue, self.prefix + "nobody"] if exchange == "" else KEYS)
            if key.endswith(".dead"):
                key = "nobody"  # those queues are for dead letters alone
            properties = Properties(
                str(self.said), persistent=self.random.random() < 0.7, headers=self.random.choice(HEADERS)
            )
            messages.append(Outgoing(exchange, key, b"%d" % self.said, properties, self.random.random() < 0.5))
        self.same(client, "publish", messages)

    def settle(self, client: Client, _: str) -> None:
        if not client.held:
            return
        pair = self.random.choice(client.held)
        tag = pair[0].tag or 0
        several = self.random.random() < 0.3 and len({(each.queue, each.consumer) for each, _ in client.held}) == 1
        name, options = self.random.choice([
            ("ack", {"multiple": several}), ("ack", {}), ("nack", {"multiple": several}), ("reject", {"requeue": True}),
            ("nack", {"multiple": several, "requeue": False}), ("reject", {}),
        ])
        self.history.append(f"{name} {pair[0].body!r} from {pair[0].queue} {options}")
        for channel, delivery in zip(client.channels, pair, strict=True):
            getattr(channel, name)(delivery.tag, **options)
        upto = tag if options.get("multiple") else -1
        client.held = [each for each in client.held if each[0].tag != tag and (each[0].tag or 0) > upto]

    def get(self, client: Client, queue: str) -> None:
        auto_ack = self.random.random() < 0.3 or self.is_quorum(queue)
        one, two = self.same(client, "get", queue, auto_ack=auto_ack) or (None, None)
        if one is not None and one.tag is not None:
            client.held.append((one, two))

    def consume(self, client: Client, queue: str) -> None:
        if not any(queue in each.consumers for each in self.clients):
            self.same(client, "qos", self.random.randint(0, 3))
            tags = self.same(client, "consume", queue, auto_ack=self.random.random() < 0.2)
            if tags is not None:
                client.consumers[queue] = tags

    def cancel(self, client: Client, _: str) -> None:
        if client.consumers:
            queue = self.random.choice(list(client.consumers))
            self.history.append(f"cancel {queue}")
            for channel, tag in zip(client.channels, client.consumers.pop(queue), strict=True):
                channel.cancel(tag)

    def bind(self, client: Client, queue: str) -> None:
        if not queue.endswith(".dead"):
            exchange = self.random.choice(self.exchanges)
            wanted = self.random.choice(WANTED) if exchange.endswith("headers") else None
            self.same(client, "bind", queue, exchange, self.random.choice(PATTERNS), wanted)

    def unbind(self, client: Client, queue: str) -> None:
        self.same(client, "unbind", queue, self.random.choice(self.exchanges), self.random.choice(PATTERNS))

    def purge(self, client: Client, queue: str) -> None:
        self.same(client, "purge", queue)

    def redeclare(self, client: Client, queue: str) -> None:
        arguments = self.random.choice([self.queues[queue], {"x-message-ttl": 5}])
        self.same(client, "declare_queue", queue, durable=self.random.random() < 0.5, arguments=arguments)

    def delete(self, client: Client, queue: str) -> None:
        self.same(client, "delete_queue", queue)
        del self.queues[queue]
        self.compare()  # consumers are told first
        self.make_queue(client)

    def reopen(self, client: Client, _: str) -> None:
        """Close the channel, whatever it holds, and open another."""
        self.history.append("close and open the channel")
        for channel in client.channels:
            channel.close()
        self._open(client)

    def err(self, client: Client, _: str) -> None:
        """Make a mistake nobody waits for; the next call is told."""
        if self.random.random() < 0.5:
            self.same(client, "ack", 9999)
        else:
            self.same(client, "publish", [Outgoing("nowhere", "k", b"")])
        self.same(client, "qos", 1)

    # --- comparing ---

    def same(self, client: Client, name: str, *args: Any, **options: Any) -> tuple[Any, Any] | None:
        """Call both channels; the answers must be the same.  None: both said that the channel is closed."""
        self.history.append(f"{name} {_short(args)} {options}")
        one, two = (_outcome(lambda channel=channel: getattr(channel, name)(*args, **options))
                    for channel in client.channels)
        if _comparable(one) != _comparable(two):
            self.differ(f"{name}: embedded {_comparable(one)}, RabbitMQ {_comparable(two)}")
        if isinstance(one, Exception):
            self._open(client)
            return None
        return one, two

    def compare(self) -> None:
        """Both sides have delivered the same, and have the same left."""
        for client in self.clients:
            taken: list[Delivery | Cancelled] = []
            while more := client.channels[0].take(100, 0):
                taken += more
            arrived: list[Delivery | Cancelled] = []
            until = time.monotonic() + PATIENCE
            while len(arrived) < len(taken) and time.monotonic() < until:
                arrived += client.channels[1].take(100, 0.2)
            arrived += client.channels[1].take(100, 0)
            for queue in {each.queue for each in taken + arrived}:
                self._compare_deliveries(client, queue, taken, arrived)
        for queue in self.queues:
            self._compare_counts(queue)

    def _compare_deliveries(
        self, client: Client, queue: str, taken: list[Delivery | Cancelled], arrived: list[Delivery | Cancelled]
    ) -> None:
        ours, theirs = ([each for each in side if each.queue == queue] for side in (taken, arrived))
        if [_comparable(each) for each in ours] != [_comparable(each) for each in theirs]:
            self.differ(f"delivered from {queue}:\nembedded {ours}\nRabbitMQ {theirs}")
        for one, two in zip(ours, theirs, strict=True):
            if isinstance(one, Cancelled):
                client.consumers.pop(queue, None)
            elif isinstance(two, Delivery) and one.tag is not None:
                client.held.append((one, two))

    def _compare_counts(self, queue: str) -> None:
        until = time.monotonic() + PATIENCE
        while (counts := [self._count(side, queue) for side in (0, 1)]) and counts[0] != counts[1]:
            if time.monotonic() > until:
                self.differ(f"{queue} has (messages, consumers): embedded {counts[0]}, RabbitMQ {counts[1]}")

    def _count(self, side: int, queue: str) -> tuple[int, int]:
        info = self.witness.channels[side].declare_queue(queue, passive=True)
        # RabbitMQ counts who fetches from a quorum queue as a consumer.
        return info.messages, 0 if self.is_quorum(queue) else info.consumers

    def is_quorum(self, queue: str) -> bool:
        return self.queues[queue].get("x-queue-type") == "quorum"

    def differ(self, what: str) -> None:
        raise Different("\n".join([*self.history[-15:], f"queues: {self.queues}", what]))

    def _open(self, client: Client) -> None:
        client.channels = (client.connections[0].channel(), client.connections[1].channel())
        client.held, client.consumers = [], {}


def _outcome(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except (ChannelClosed, ConnectionLost) as error:
        return error


def _comparable(outcome: Any) -> Any:
    """An answer, without what may differ: tags, times, and whether a first delivery is counted as 0 or not at all."""
    match outcome:
        case ChannelClosed(code=code):
            return code
        case Exception():
            return type(outcome)
        case Cancelled(queue=queue):
            return ("cancelled", queue)
        case Delivery():
            properties = replace(outcome.properties, headers=plain_headers(outcome))
            return replace(outcome, tag=outcome.tag is None, consumer="", properties=properties)
        case str():
            return "a consumer's tag"
    return outcome


def _short(args: tuple[Any, ...]) -> list[Any]:
    return [
        [f"{each.exchange}|{each.routing_key}|{each.body.decode()}" for each in arg] if isinstance(arg, list) else arg
        for arg in args
    ]
