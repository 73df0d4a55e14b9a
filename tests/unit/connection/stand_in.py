"""Stands in for pika and its thread: notes what is said to the broker by pika's own parameters, and answers at once."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from pika import spec
from pika.channel import Channel
from pika.exceptions import ChannelClosedByClient

from patterns.connection_channel import RabbitChannel
from patterns.errors import ConnectionLost


class Pika:
    """A channel of pika's.  ``said``: each method with its arguments; ``answers``: what the broker says to it;
    ``hooks`` and ``hooked``: what is to be called, and when else; ``when_read``: once all that was read is understood."""

    def __init__(self) -> None:
        self.is_open = True
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.answers: dict[str, dict[str, Any]] = {}
        self.hooks: dict[str, Any] = {}
        self.hooked: dict[str, dict[str, Any]] = {}
        self.when_read: list[Callable[[], object]] = []
        self.connection = SimpleNamespace(when_read=self.when_read.append)
        self._cancelled = {"ours"}

    def __getattr__(self, name: str) -> Callable[..., None]:
        def say(*args: Any, **kwargs: Any) -> None:
            arguments = inspect.signature(getattr(Channel, name)).bind(self, *args, **kwargs).arguments
            del arguments["self"]
            answered = arguments.pop("callback", None)
            if name.startswith("add_"):
                self.hooks[name], self.hooked[name] = answered, arguments
                return
            self.said.append((name, arguments))
            if name == "basic_cancel":
                self._cancelled.add(arguments["consumer_tag"])  # as pika does: what comes for it is given back
            if answered is not None and name != "basic_get":
                answered(SimpleNamespace(method=SimpleNamespace(**self.answers.get(name, {}))))
            elif answered is not None:
                self.hooks[name] = answered

        return say

    def close(self) -> None:
        self.said.append(("close", {}))
        self.hooks["add_on_close_callback"](self, ChannelClosedByClient(200, "ours"))

    def has_read(self) -> None:
        """All that was read at once is understood."""
        while self.when_read:
            self.when_read.pop(0)()

    def delivery(self, tag: int) -> tuple[Any, ...]:
        """What pika calls back with for a message."""
        return self, spec.Basic.Deliver("c", tag, False, "e", "key"), spec.BasicProperties(message_id="m"), b"body"


class Wire:
    """A channel of ours on it: ``channel``; and whether its connection can be used: ``lost``."""

    def __init__(self) -> None:
        self.spoken, self.lost = Pika(), ""
        self.forgotten: list[RabbitChannel] = []
        self.pika = self
        self.channel_ = RabbitChannel(self, self.forgotten.append)  # type: ignore[arg-type]
        self.channel_.open()
        self.opening, self.spoken.said = list(self.spoken.said), []

    def channel(self, on_open_callback: Callable[[Any], None]) -> None:
        on_open_callback(self.spoken)

    def post(self, action: Callable[[], object]) -> None:
        if self.lost:
            raise ConnectionLost(self.lost)
        action()

    def abort(self, lost: ConnectionLost) -> None:
        self.lost = str(lost)
