"""The machine's topology: exchanges, queues and bindings are declared, checked, deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from patterns.amqp import DIRECT_REPLY_TO, QueueInfo
from patterns.broker.arguments import refusal, understand
from patterns.broker.closing import Closing
from patterns.broker.data import Channel, Queue
from patterns.broker.exchanges import KINDS, X_MATCH, Binding, Exchange


class Declaring(Closing):
    """AMQP's exchange.* and queue.* methods."""

    def declare_exchange(
        self, channel_id: int, name: str, kind: str, now: float, *, durable: bool = True, auto_delete: bool = False,
        passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Make an exchange, or check that it is there as said."""
        channel = self.channel(channel_id)
        self._not_default(channel, name, now)
        if passive:
            self.find_exchange(channel, name, now)
            return
        if kind not in KINDS:
            self.fail_connection(channel, 503, f"COMMAND_INVALID - unknown exchange type '{kind}'", now)
        wanted = Exchange(name, kind, durable, auto_delete, dict(arguments or {}))
        if not isinstance(wanted.alternate, str | None):
            self.fail(channel, 406, (
                f"PRECONDITION_FAILED - invalid type for arg 'alternate-exchange' in exchange '{name}' in vhost '/'"
            ), now)
        known = self.exchanges.get(name)
        if known is None:
            self._check_name(channel, "exchange", name, now)
            self.exchanges[name] = wanted
            if self.journaling and durable:
                self.log.append(("exchange", name, kind, auto_delete, wanted.arguments))
            self.retry_stuck(now)
            return
        self._must_equal(channel, f"exchange '{name}'", now, (
            ("type", kind, known.kind), ("durable", durable, known.durable),
            ("auto_delete", auto_delete, known.auto_delete),
            ("alternate-exchange", wanted.alternate, known.alternate),
        ))

    def declare_queue(
        self, channel_id: int, name: str, now: float, *, durable: bool = True, exclusive: bool = False,
        auto_delete: bool = False, passive: bool = False, arguments: Mapping[str, Any] | None = None,
    ) -> QueueInfo:
        """Make a queue, or check it; an empty name lets the broker choose one."""
        channel = self.channel(channel_id)
        if name.startswith(DIRECT_REPLY_TO):
            return self._declare_requester(channel, name, now)
        if passive:
            return _info(self.find_queue(channel, name, now))
        wanted = Queue(name, durable, exclusive, auto_delete, dict(arguments or {}), unused_since=now)
        known = self.queues.get(name)
        if known is None:
            return _info(self._new_queue(channel, wanted, now))
        if known.owner != (channel.connection.id if exclusive else None):
            self.fail_locked(channel, name, now)
        names = sorted({*known.arguments, *wanted.arguments})
        self._must_equal(channel, f"queue '{name}'", now, (
            ("durable", durable, known.durable), ("auto_delete", auto_delete, known.auto_delete),
            *((key, _argument(wanted, key), _argument(known, key)) for key in names),
        ))
        known.unused_since = now
        return _info(known)

    def _new_queue(self, channel: Channel, queue: Queue, now: float) -> Queue:
        if queue.name == "":
            queue.name = f"amq.gen-{self.life}-{self.next_serial()}"
        else:
            self._check_name(channel, "queue", queue.name, now)
        if (reason := refusal(queue)) is not None:
            self.fail(channel, 406, f"PRECONDITION_FAILED - {reason}", now)
        understand(queue)
        queue.owner = channel.connection.id if queue.exclusive else None
        self.queues[queue.name] = queue
        if queue.expires is not None:
            self.timed[queue.name] = queue
        if self.journaling and queue.lasting:
            self.log.append(("queue", queue.name, queue.auto_delete, queue.arguments))
        self.retry_stuck(now)
        return queue

    def _declare_requester(self, channel: Channel, name: str, now: float) -> QueueInfo:
        """Somebody asks whether a requester still waits: https://www.rabbitmq.com/docs/direct-reply-to."""
        if name != DIRECT_REPLY_TO and name.removeprefix(f"{DIRECT_REPLY_TO}.") not in self.requesters:
            self.fail(channel, 404, f"NOT_FOUND - no queue '{name}' in vhost '/'", now)
        return QueueInfo(name, 0, 1)

    def bind(
        self, channel_id: int, queue: str, exchange: str, key: str, now: float,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Let the exchange's messages with this key into the queue."""
        channel = self.channel(channel_id)
        self._not_default(channel, exchange, now)
        if queue in self.queues:
            self.find_exchange(channel, exchange, now)  # that it is missing comes before whose the queue is
        target, source = self.find_queue(channel, queue, now), self.find_exchange(channel, exchange, now)
        binding = Binding(target, key, dict(arguments or {}))
        if source.kind == "headers" and (kind := binding.arguments.get("x-match", "all")) not in X_MATCH:
            self.fail(channel, 406, (
                f"PRECONDITION_FAILED - Invalid x-match field value {kind!r}; expected {', '.join(X_MATCH)}"
            ), now)
        if source.add(binding) and self.journaling and target.lasting and source.durable:
            self.log.append(("bind", exchange, queue, key, binding.arguments))
        self.retry_stuck(now)

    def unbind(
        self, channel_id: int, queue: str, exchange: str, key: str, now: float,
        arguments: Mapping[str, Any] | None = None,
    ) -> None:
        """Undo a bind; without queue, exchange or binding there is nothing to do."""
        channel = self.channel(channel_id)
        self._not_default(channel, exchange, now)
        if queue not in self.queues or exchange not in self.exchanges:
            return
        target, source = self.queues[queue], self.exchanges[exchange]
        binding = Binding(target, key, dict(arguments or {}))
        if binding.identity not in source.bindings:
            return  # also when the queue is another connection's
        self.find_queue(channel, queue, now)
        source.remove(binding.identity)
        if self.journaling and target.lasting and source.durable:
            self.log.append(("unbind", exchange, queue, key, binding.arguments))
        self.unused_exchange(source)

    def delete_queue(
        self, channel_id: int, name: str, now: float, *, if_unused: bool = False, if_empty: bool = False
    ) -> int:
        """Delete a queue; answers how many ready messages went with it."""
        channel = self.channel(channel_id)
        if name not in self.queues:
            return 0
        queue = self.find_queue(channel, name, now)
        if queue.quorum and (if_unused or if_empty):
            flag = "if-unused" if if_unused else "if-empty"
            self.fail_connection(channel, 540, (
                f"NOT_IMPLEMENTED - cannot delete queue '{name}' in vhost '/'. queue.delete operations with {flag} flag set "
                "are not supported by quorum queues"
            ), now)
        if if_unused and queue.consumers:
            self.fail(channel, 406, f"PRECONDITION_FAILED - queue '{name}' in vhost '/' in use", now)
        if if_empty and queue.ready:
            self.fail(channel, 406, f"PRECONDITION_FAILED - queue '{name}' in vhost '/' not empty", now)
        count = len(queue.ready)
        self.drop_queue(queue)
        return count

    def delete_exchange(self, channel_id: int, name: str, now: float, *, if_unused: bool = False) -> None:
        """Delete an exchange and its bindings."""
        channel = self.channel(channel_id)
        self._not_default(channel, name, now)
        if name.startswith("amq."):
            self.fail(
                channel, 403, f"ACCESS_REFUSED - deletion of system exchange '{name}' in vhost '/' not allowed", now
            )
        exchange = self.exchanges.get(name)
        if exchange is not None:
            if if_unused and exchange.bindings:
                self.fail(channel, 406, f"PRECONDITION_FAILED - exchange '{name}' in vhost '/' in use", now)
            self.drop_exchange(exchange)

    def purge(self, channel_id: int, name: str, now: float) -> int:
        """Throw away a queue's ready messages; answers how many."""
        queue = self.find_queue(self.channel(channel_id), name, now)
        entries = list(queue.ready)
        queue.ready.clear()
        queue.returned = 0
        for entry in entries:
            self.forget(queue, entry)
        return len(entries)

    def _check_name(self, channel: Channel, what: str, name: str, now: float) -> None:
        if name.startswith("amq."):
            self.fail(channel, 403, f"ACCESS_REFUSED - {what} name '{name}' contains reserved prefix 'amq.*'", now)

    def _not_default(self, channel: Channel, exchange: str, now: float) -> None:
        if exchange == "":
            self.fail(channel, 403, "ACCESS_REFUSED - operation not permitted on the default exchange", now)

    def _must_equal(self, channel: Channel, what: str, now: float, pairs: tuple[tuple[str, Any, Any], ...]) -> None:
        for name, wanted, current in pairs:
            if wanted != current:
                self.fail(channel, 406, (
                    f"PRECONDITION_FAILED - inequivalent arg '{name}' for {what} in vhost '/': "
                    f"received {_told(wanted)} but current is {_told(current)}"
                ), now)


def _argument(queue: Queue, name: str) -> Any:
    return queue.arguments.get(name, "classic" if name == "x-queue-type" else None)


def _told(value: Any) -> str:
    if value is None:
        return "none"
    return f"'{str(value).lower() if isinstance(value, bool) else value}'"


def _info(queue: Queue) -> QueueInfo:
    return QueueInfo(queue.name, len(queue.ready), len(queue.consumers))
