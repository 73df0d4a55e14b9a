"""What an operation means now: names, tags and consumers in place of numbers."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from lab.differential import operations as ops
from lab.differential.likeness import Arrived
from lab.differential.shapes import arguments_of
from lab.differential.sides import CONNECTION_OF, Call
from patterns.amqp import DIRECT_REPLY_TO, Cancelled, Delivery, Outgoing, Properties

NEVER_GIVEN = 9999
ALL = -2
ENDLESS = 50
"""A delivery limit that no program reaches."""


class Script:
    """Remembers what the program holds, and turns operations into calls."""

    def __init__(self, prefix: str, queues: int = ops.QUEUES) -> None:
        self.prefix, self.queues = prefix, queues
        self.shapes: dict[int, ops.Shape] = {}
        self.kinds: dict[int, ops.DeclareExchange] = {}
        self.held: dict[int, list[Delivery]] = {client: [] for client in range(len(CONNECTION_OF))}
        self.consumers: dict[str, tuple[int, str]] = {}  # what we call it -> client and queue
        self.asked: list[str] = []  # requests that were delivered to somebody
        self.used: set[int] = set()  # clients whose channel got or holds something
        self._said = self._started = 0

    def queue(self, number: int) -> str:
        """The name of a queue that is there, unless the number is one too many."""
        return self._name("q", number, ops.QUEUES, self.shapes)

    def exchange(self, number: int) -> str:
        """The name of an exchange that is there, unless the number is one too many."""
        return self._name("x", number, ops.EXCHANGES, self.kinds)

    def _name(self, letter: str, number: int, count: int, there: Collection[int]) -> str:
        if number >= count or not there:
            return f"{self.prefix}{letter}-nowhere"
        return f"{self.prefix}{letter}{sorted(there)[number % len(there)]}"

    def body(self) -> bytes:
        """One that no other message has."""
        self._said += 1
        return b"m%d" % self._said

    # --- what became of it ---

    def arrived(self, client: int, items: list[Arrived], named: Any) -> None:
        """Note what a client was delivered."""
        self.used |= {client} if items else set()
        for item in items:
            if isinstance(item, Cancelled):
                self.consumers.pop(named(item.consumer), None)
                continue
            if item.tag is not None:
                self.held[client].append(item)
            if (item.properties.reply_to or "").startswith(DIRECT_REPLY_TO):
                self.asked.append(item.body.decode())

    def ended(self, client: int) -> None:
        """Note that a client's channel ended."""
        self.held[client] = []
        self.consumers = {name: whose for name, whose in self.consumers.items() if whose[0] != client}

    def there(self, queues: Collection[str], exchanges: Collection[str]) -> None:
        """Note what is declared at the moment."""
        self.shapes = {number: shape for number, shape in self.shapes.items() if f"{self.prefix}q{number}" in queues}
        self.kinds = {number: kind for number, kind in self.kinds.items() if f"{self.prefix}x{number}" in exchanges}

    # --- what is to be done ---

    def calls(self, operation: ops.Operation) -> list[Call]:
        """The calls this operation means; none, when there is nothing it could mean."""
        client = operation.client % len(CONNECTION_OF)
        match operation:
            case ops.Purge(queue=queue):
                return [Call(client, "purge", (self.queue(queue),))]
            case ops.Publish(messages=messages):
                return self._publish(client, messages)
            case ops.Get(queue=queue, auto_ack=auto_ack):
                return [Call(client, "get", (self.queue(queue),), {"auto_ack": auto_ack})]
            case ops.Consume():
                return self._consume(client, operation)
            case ops.Cancel(nth=nth):
                return self._cancel(nth)
            case ops.Settle():
                return self._settle(client, operation)
            case ops.Close(connection=connection):
                return [Call(client, "reconnect" if connection else "reopen")]
            case ops.Ask(queue=queue):
                return self._ask(client, self.queue(queue))
            case ops.Reply(nth=nth, mandatory=mandatory) if self.asked:
                request = self.asked[nth % len(self.asked)]
                message = Outgoing("", f"{DIRECT_REPLY_TO}:{request}", self.body(), Properties(), mandatory)
                return [Call(client, "publish", ([message],))]
            case ops.Reply(nth=nth):  # nobody has asked yet
                return self._ask(client, self.queue(nth % ops.QUEUES))
        return [self._topology(client, operation)]

    def _topology(self, client: int, operation: ops.Operation) -> Call:
        match operation:
            case ops.DeclareQueue(queue=number, shape=shape, otherwise=otherwise):
                if (known := self.shapes.get(number)) is not None:
                    shape = replace(known, ttl=ops.LONG + 1) if otherwise else known
                return self._declare(client, number, shape)
            case ops.CheckQueue(queue=queue):
                return Call(client, "declare_queue", (f"{self.prefix}q{queue}",), {"passive": True})
            case ops.DeclareExchange():
                return self._declare_exchange(client, operation)
            case ops.DeleteQueue(queue=queue, if_unused=unused, if_empty=empty):
                name = self.queue(queue)
                if any(shape.quorum for number, shape in self.shapes.items() if name == f"{self.prefix}q{number}"):
                    unused = empty = False  # refused with the whole connection
                return Call(client, "delete_queue", (name,), {"if_unused": unused, "if_empty": empty})
            case ops.DeleteExchange(exchange=exchange, if_unused=unused):
                return Call(client, "delete_exchange", (self.exchange(exchange),), {"if_unused": unused})
            case ops.Bind(queue=queue, exchange=exchange, pattern=pattern, wanted=wanted, off=off):
                args = (self.queue(queue), self.exchange(exchange), ops.PATTERNS[pattern % len(ops.PATTERNS)])
                return Call(client, "unbind" if off else "bind", (*args, dict(ops.WANTED[wanted % len(ops.WANTED)])))
        raise TypeError(operation)

    def _declare(self, client: int, number: int, shape: ops.Shape) -> Call:
        arguments = arguments_of(shape, self.prefix, self.queues)
        self.shapes.setdefault(number, shape)
        return Call(client, "declare_queue", (f"{self.prefix}q{number}",), {
            "durable": shape.durable, "exclusive": shape.exclusive, "auto_delete": shape.auto_delete, "arguments": arguments,
        })

    def _declare_exchange(self, client: int, wanted: ops.DeclareExchange) -> Call:
        wanted = self.kinds.setdefault(wanted.exchange, wanted)
        alternate = None if wanted.alternate is None else {"alternate-exchange": f"{self.prefix}x{wanted.alternate}"}
        return Call(client, "declare_exchange", (f"{self.prefix}x{wanted.exchange}", wanted.kind), {
            "auto_delete": wanted.auto_delete, "arguments": alternate,
        })

    def _publish(self, client: int, messages: tuple[ops.Said, ...]) -> list[Call]:
        if any(each.to >= ops.QUEUES for each in messages):
            messages = messages[:1]  # an exchange that is missing ends the channel, and what came with it is anybody's guess
        calls = [Call(client, "publish", ([self._message(message) for message in messages],))]
        return calls + [Call(client, "pass_time")] * any(each.expiration == ops.SHORT for each in messages)

    def _message(self, said: ops.Said) -> Outgoing:
        properties = Properties(
            persistent=said.persistent, headers=ops.HEADERS[said.headers % len(ops.HEADERS)],
            expiration=None if said.expiration is None else str(said.expiration),
        )
        exchange, key = self.exchange(said.to - ops.QUEUES), ops.KEYS[said.key % len(ops.KEYS)]
        if said.to < ops.QUEUES or not self.kinds:
            exchange, key = "", self.queue(said.to % ops.QUEUES)
        return Outgoing(exchange, key, self.body(), properties, said.mandatory)

    def _consume(self, client: int, wanted: ops.Consume) -> list[Call]:
        self._started += 1
        name, queue = f"c{self._started}", self.queue(wanted.queue)
        self.consumers[name] = client, queue
        self.used.add(client)
        options = {"auto_ack": wanted.auto_ack, "exclusive": wanted.exclusive}
        prefetch = 0 if self._gives_up(queue) else wanted.prefetch
        return [Call(client, "qos", (prefetch,)), Call(client, "consume", (queue,), options, name)]

    def _gives_up(self, queue: str) -> bool:
        """Whether a message soon reaches the queue's delivery limit: RabbitMQ 3.10 then delivers more than the prefetch."""
        limits = [shape.delivery_limit for number, shape in self.shapes.items() if queue == f"{self.prefix}q{number}"]
        return any(limit is not None and limit < ENDLESS for limit in limits)

    def _cancel(self, nth: int) -> list[Call]:
        if not self.consumers:
            return self._consume(0, ops.Consume(queue=nth % ops.QUEUES))
        name = list(self.consumers)[nth % len(self.consumers)]
        client, _ = self.consumers.pop(name)
        return [Call(client, "cancel", consumer=name)]

    def _settle(self, client: int, wanted: ops.Settle) -> list[Call]:
        held = [(whose, each) for whose, items in self.held.items() for each in items]
        if wanted.nth == ALL:
            tag, last = 0, max([each.tag or 0 for each in self.held[client]], default=0)
            if not last or self._by_several_consumers(client, last, wanted.how):
                return self._settle(client, replace(wanted, nth=0))
            self.held[client] = []
        elif wanted.nth < 0:
            tag = NEVER_GIVEN
        elif held:
            client, delivery = held[wanted.nth % len(held)]
            tag = delivery.tag or 0
            if wanted.multiple and self._by_several_consumers(client, tag, wanted.how):
                wanted = replace(wanted, multiple=False)
            several = wanted.multiple and wanted.how != "reject"
            self.held[client] = [each for each in self.held[client] if (each.tag or 0) != tag and not (
                several and (each.tag or 0) < tag)]
        else:  # nobody holds anything
            return [Call(client, "get", (self.queue(wanted.nth % ops.QUEUES),), {"auto_ack": False})]
        options = {"multiple": wanted.multiple} if wanted.how != "reject" else {}
        if wanted.how != "ack":
            options["requeue"] = wanted.requeue
        return [Call(client, wanted.how, (tag,), options), Call(client, "declare_exchange", ("amq.direct", "direct"), {
            "passive": True})]

    def _by_several_consumers(self, client: int, tag: int, how: str) -> bool:
        """Whether several of its consumers hold of one queue: RabbitMQ then chooses whose it settles first."""
        such = {f"{self.prefix}q{number}" for number, shape in self.shapes.items() if shape.quorum or how == "nack"}
        holders = {(each.queue, each.consumer) for each in self.held[client] if (each.tag or 0) <= tag}
        queues = [queue for queue, _ in holders if queue in such]
        return len(queues) > len(set(queues))

    def _ask(self, client: int, queue: str) -> list[Call]:
        message = Outgoing("", queue, self.body(), Properties(reply_to=DIRECT_REPLY_TO), False)
        name = f"replies-{client}"
        publish = Call(client, "publish", ([message],))
        if name in self.consumers:
            return [publish]
        self.consumers[name] = client, DIRECT_REPLY_TO
        self.used.add(client)
        return [Call(client, "consume", (DIRECT_REPLY_TO,), {"auto_ack": True}, name), publish]
