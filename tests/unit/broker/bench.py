"""A machine with a client or two, in few words: what tests of the broker are written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from patterns.amqp import Outgoing, Properties
from patterns.broker import Machine
from patterns.broker.effects import Confirm, Deliver, Effect, Return
from patterns.broker.framing import decode, encode
from patterns.broker.records import rebuild
from patterns.errors import ChannelClosed


class Bench:
    """A machine, its clock, a first connection with a channel, and everything the machine has written down."""

    def __init__(self) -> None:
        self.machine = Machine(journaling=True)
        self.now = 0.0
        self.journal = b""
        self.connection = self.machine.connect("test")
        self.channel = self.machine.open_channel(self.connection)

    # --- what a client does ---

    def queue(self, name: str, *, kind: str = "classic", channel: int = 0, durable: bool = True, **options: Any) -> str:
        """Declare a queue; ``dead_letter_exchange=...`` is the argument x-dead-letter-exchange, and so on."""
        flags = {key: options.pop(key) for key in ("exclusive", "auto_delete", "passive") if key in options}
        arguments = {f"x-{key.replace('_', '-')}": value for key, value in options.items()}
        if kind != "classic":
            arguments["x-queue-type"] = kind
        info = self.machine.declare_queue(
            channel or self.channel, name, self.now, durable=durable, arguments=arguments, **flags
        )
        return info.name

    def exchange(self, name: str, kind: str, **options: Any) -> None:
        self.machine.declare_exchange(self.channel, name, kind, self.now, **options)

    def bind(self, queue: str, exchange: str, key: str = "", arguments: Mapping[str, Any] | None = None) -> None:
        self.machine.bind(self.channel, queue, exchange, key, self.now, arguments)

    def publish(
        self, key: str, body: str = "m", exchange: str = "", *, channel: int = 0, mandatory: bool = False,
        **properties: Any,
    ) -> str:
        """Publish one message; answers ``stored``, ``refused`` or ``returned``.  Deliveries stay to be taken."""
        channel = channel or self.channel
        outgoing = Outgoing(exchange, key, body.encode(), Properties(**properties), mandatory)
        number = self.machine.publish(channel, outgoing, self.now)
        answers = [
            effect for effect in self.machine.effects
            if isinstance(effect, Confirm | Return) and (effect.channel, effect.number) == (channel, number)
        ]
        for effect in answers:
            self.machine.effects.remove(effect)
        if any(isinstance(effect, Return) for effect in answers):
            assert isinstance(answers[-1], Confirm), "the confirm comes after the return"
            return "returned"
        [confirm] = answers
        assert isinstance(confirm, Confirm)
        return "stored" if confirm.stored else "refused"

    def consume(self, queue: str, *, prefetch: int = 0, channel: int = 0, **options: Any) -> str:
        channel = channel or self.channel
        self.machine.qos(channel, prefetch)
        return self.machine.consume(channel, queue, self.now, **options)

    def ack(self, tag: int | None, **options: Any) -> None:
        self.machine.ack(self.channel, tag or 0, self.now, **options)

    def nack(self, tag: int | None, **options: Any) -> None:
        self.machine.nack(self.channel, tag or 0, self.now, **options)

    def later(self, seconds: float) -> None:
        """Let time pass: to whenever something expires, and on."""
        until = self.now + seconds
        while (due := self.machine.next_expiry()) is not None and due <= until:
            self.now = max(self.now, due)
            self.machine.advance(self.now)
        self.now = until

    def another(self, name: str = "another") -> int:
        """A channel on a connection of its own."""
        return self.machine.open_channel(self.machine.connect(name))

    # --- what a test sees ---

    def deliveries(self) -> list[Deliver]:
        """What was handed to consumers since the last look."""
        return [effect for effect in self.machine.take_effects() if isinstance(effect, Deliver)]

    def bodies(self) -> list[str]:
        return [effect.message.body.decode() for effect in self.deliveries()]

    def ready(self, queue: str) -> list[str]:
        return [entry.message.body.decode() for entry in self.machine.queues[queue].ready]

    def headers(self, queue: str) -> Mapping[str, Any]:
        """The headers of the first message that is ready."""
        return self.machine.queues[queue].ready[0].message.properties.headers

    def effects(self, kind: type[Effect]) -> list[Any]:
        """Take all effects; answers those of one kind."""
        return [effect for effect in self.machine.take_effects() if isinstance(effect, kind)]

    # --- the journal ---

    def write(self) -> None:
        """Append what the machine wants written, as one frame."""
        log = self.machine.take_log()
        if log:
            self.journal += encode(log)

    def reread(self) -> Machine:
        """The machine that the journal as written so far rebuilds."""
        self.write()
        return rebuild(Machine(life="1", journaling=True), decode(self.journal)[0], self.now)

    def restart(self) -> None:
        """Crash, and come back from the journal."""
        self.machine = self.reread()
        self.connection = self.machine.connect("test")
        self.channel = self.machine.open_channel(self.connection)


@contextmanager
def refused(code: int, words: str = "") -> Iterator[None]:
    """The channel is closed with this code, and these words in the reason."""
    with pytest.raises(ChannelClosed) as caught:
        yield
    assert caught.value.code == code
    assert words in caught.value.text
