"""Exchanges: which queues a message goes to, one copy for each queue however many bindings match.

https://www.rabbitmq.com/tutorials/amqp-concepts#exchanges
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from patterns.broker.data import Queue

KINDS = ("direct", "fanout", "topic", "headers")
X_MATCH = ("all", "any", "all-with-x", "any-with-x")
REMEMBERED_KEYS = 4096
"""Routing keys whose queues are remembered; saga keys hold an order id, so they never stop coming."""

PREDECLARED = {
    "": "direct", "amq.direct": "direct", "amq.fanout": "fanout", "amq.topic": "topic", "amq.headers": "headers",
    "amq.match": "headers",
}


@dataclass(slots=True, eq=False)
class Binding:
    """Lets messages with this key (or these headers) into the queue."""

    queue: Queue
    key: str
    arguments: Mapping[str, Any]

    @property
    def identity(self) -> tuple[str, str, str]:
        """What makes two bindings the same one."""
        return (self.queue.name, self.key, repr(sorted(self.arguments.items())))


@dataclass(slots=True, eq=False)
class Exchange:
    """An exchange and its bindings."""

    name: str
    kind: str
    durable: bool = True
    auto_delete: bool = False
    arguments: Mapping[str, Any] = field(default_factory=dict)
    bindings: dict[tuple[str, str, str], Binding] = field(default_factory=dict)
    remembered: dict[str, tuple[Queue, ...]] = field(default_factory=dict)

    @property
    def alternate(self) -> str | None:
        """The exchange that gets what this one can send nowhere."""
        return self.arguments.get("alternate-exchange")

    def add(self, binding: Binding) -> bool:
        """Bind; False when it was bound so already."""
        new = binding.identity not in self.bindings
        self.bindings.setdefault(binding.identity, binding)
        self.remembered.clear()
        return new

    def remove(self, identity: tuple[str, str, str]) -> Binding | None:
        """Unbind; answers what was bound, if it was."""
        self.remembered.clear()
        return self.bindings.pop(identity, None)

    def route(self, key: str, headers: Mapping[str, Any]) -> tuple[Queue, ...]:
        """The queues that get a message with this key and these headers."""
        if self.kind == "headers":
            return _once(b.queue for b in self.bindings.values() if headers_match(b.arguments, headers))
        queues = self.remembered.get(key)
        if queues is None:
            if len(self.remembered) >= REMEMBERED_KEYS:
                self.remembered.clear()
            queues = self.remembered[key] = _once(b.queue for b in self.bindings.values() if self._matches(b.key, key))
        return queues

    def _matches(self, pattern: str, key: str) -> bool:
        if self.kind == "topic":
            return topic_matches(pattern, key)
        return self.kind == "fanout" or pattern == key


def _once(queues: Iterator[Queue]) -> tuple[Queue, ...]:
    return tuple(dict.fromkeys(queues))


def topic_matches(pattern: str, key: str) -> bool:
    """Whether a topic binding lets this routing key in: ``*`` is one word, ``#`` is any number of words, also none."""
    if pattern == "#":
        return True
    # reached: how many words of the key the pattern so far may have used up.
    words = key.split(".") if key else []
    reached = {0}
    for part in pattern.split(".") if pattern else []:
        if part == "#":
            reached = set(range(min(reached), len(words) + 1))
        else:
            reached = {at + 1 for at in reached if at < len(words) and part in ("*", words[at])}
        if not reached:
            return False
    return len(words) in reached


def headers_match(wanted: Mapping[str, Any], headers: Mapping[str, Any]) -> bool:
    """Whether a headers binding lets these headers in (``x-match``: all, any, and both ``-with-x``)."""
    kind: str = wanted.get("x-match", "all")
    with_x = kind.endswith("-with-x")
    tests = [
        name in headers and (value is None or _same(value, headers[name]))
        for name, value in wanted.items() if name != "x-match" and (with_x or not name.startswith("x-"))
    ]
    return any(tests) if kind.startswith("any") else all(tests)


def _same(wanted: Any, value: Any) -> bool:
    return type(wanted) is type(value) and bool(wanted == value)  # in Python 1 == True == 1.0, on the wire not
