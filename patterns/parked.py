"""Parked messages: look at them, send them back where they failed, or throw one away; none is lost on the way.

::

    product.parked ──get, get, get … ──> looked at ──> given back, all together, in their order
                                             └─ chosen ──> published to the queue it failed at ──confirmed──> acknowledged

Whoever looks does so alone: an exclusive queue is the lock, which the broker lifts when its owner dies; then it also gives
back all that was in hand.  A crash between confirm and acknowledgement leaves a message twice, and the inbox hears it once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

from patterns.amqp import Channel, Connection, Delivery, Outgoing, Receipt, Transport
from patterns.copies import copied_headers, copied_properties
from patterns.errors import ChannelClosed, Conflict, Unreadable
from patterns.hearing import Hearing
from patterns.parked_letter import BOOKKEEPING, Parked, parked_letter
from patterns.runtime import runtime
from patterns.topology import heard_queues, parked_queue
from patterns.wiring import Wirings

MOST_AT_ONCE = 10_000
"""So many are taken in hand, at most; those behind them wait for another time."""

PATIENCE_SECONDS = 5.0
"""How long one waits for somebody else who is looking, and for the broker to take messages back."""

LOCKED, NOT_FOUND = 405, 404  # AMQP's reply codes

Verdict = Literal["seen", "replayed", "would be replayed", "dropped", "would be dropped", "refused", "not confirmed"]
Choice = Callable[[Parked], bool]
Decision = Callable[[Channel, Parked, Delivery], tuple[Verdict, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one parked message."""

    letter: Parked
    verdict: Verdict
    why: str


class ParkedQueue:
    """One service's parked messages.  Every call connects anew, and raises BrokerUnavailable when that cannot be.

    Raises Conflict while somebody else is looking.
    """

    def __init__(self, service: str, transport: Transport, wirings: Wirings) -> None:
        self.service, self._transport = service, transport
        self._queues = frozenset(heard_queues(service, wirings))
        self._hearing = Hearing(service, wirings)

    def look(self, most: int = MOST_AT_ONCE, chosen: Choice = lambda _: True) -> tuple[int, list[Parked]]:
        """How many are there, and the oldest of them (of the chosen ones); each stays where it is."""
        waiting, seen = self._each(chosen, lambda *_: ("seen", ""), most)
        return waiting, [each.letter for each in seen]

    def replay(self, chosen: Choice, *, force: bool = False, dry_run: bool = False) -> list[Done]:
        """Send the chosen ones back to the queues they failed at, their attempts forgotten; answers what became of each.

        What can never work is refused, unless ``force``; what belongs to no queue of ours always is.
        """
        def back(channel: Channel, letter: Parked, delivery: Delivery) -> tuple[Verdict, str]:
            if letter.hopeless and not (force and letter.queue in self._queues):
                return "refused", letter.hopeless
            if dry_run:
                return "would be replayed", f"to {letter.queue}"
            [receipt] = channel.publish([_again(letter, delivery)])
            if receipt is Receipt.CONFIRMED:
                return "replayed", f"to {letter.queue}"
            return "not confirmed", f"the broker's answer for {letter.queue}: {receipt.value}; it stays parked"

        return self._each(chosen, back)[1]

    def drop(self, chosen: Choice, *, dry_run: bool = False) -> list[Done]:
        """Throw the chosen ones away, for good."""
        verdict: Verdict = "would be dropped" if dry_run else "dropped"
        return self._each(chosen, lambda *_: (verdict, ""))[1]

    def _each(self, chosen: Choice, decide: Decision, most: int = MOST_AT_ONCE) -> tuple[int, list[Done]]:
        """Take all messages in hand, and decide about the first so many chosen ones; what is not done with goes back.

        All are taken though few may be wanted: a broker puts what is given back behind what was given back before, so
        that only all of them together come back in their order.  Answers how many there were, and what was done.
        """
        done: list[Done] = []
        kept: list[int] = []
        with self._alone() as channel:
            waiting = self._count(channel)
            for delivery in self._take(channel, min(waiting, MOST_AT_ONCE)):
                kept.append(delivery.tag or 0)
                letter = parked_letter(self.service, delivery, self._hopeless)
                if len(done) < most and chosen(letter):
                    done.append(Done(letter, *decide(channel, letter, delivery)))
                    if done[-1].verdict in ("replayed", "dropped"):
                        channel.ack(kept.pop())
            self._give_back(channel, kept)
        return waiting, done

    # -- the queue itself

    @contextmanager
    def _alone(self) -> Iterator[Channel]:
        """A channel for whoever looks, and nobody else."""
        connection = self._transport.connect(f"{self.service}.parked")
        try:
            self._lock(connection)
            yield connection.channel()
        finally:
            connection.close()

    def _lock(self, connection: Connection) -> None:
        name, until = f"{parked_queue(self.service)}.looking", runtime().monotonic() + PATIENCE_SECONDS
        while True:
            try:
                connection.channel().declare_queue(name, durable=False, exclusive=True, auto_delete=True)
                return
            except ChannelClosed as error:
                if error.code != LOCKED:
                    raise
            if runtime().monotonic() > until:
                raise Conflict(f"Somebody else is looking at {parked_queue(self.service)} now; try again in a moment.")
            runtime().sleep(0.05)

    def _count(self, channel: Channel) -> int:
        try:
            return channel.declare_queue(parked_queue(self.service), passive=True).messages
        except ChannelClosed as error:
            if error.code != NOT_FOUND:
                raise
            return 0  # the service never ran here

    def _take(self, channel: Channel, most: int) -> Iterator[Delivery]:
        """So many messages, the oldest first; what comes meanwhile is left for another time."""
        for _ in range(most):
            delivery = channel.get(parked_queue(self.service))
            if delivery is None:
                return
            yield delivery

    def _give_back(self, channel: Channel, held: Sequence[int]) -> None:
        """Return what is in hand, in its order, and wait until it is there: the next to look should see it."""
        if not held:
            return
        channel.nack(max(held), multiple=True, requeue=True)
        until = runtime().monotonic() + PATIENCE_SECONDS
        while self._count(channel) < len(held) and runtime().monotonic() < until:
            runtime().sleep(0.01)

    def _hopeless(self, heard: Delivery, parked_as: str, reason: str) -> str:
        """Why sending it back cannot help, judged by what this service understands today; empty when it may."""
        if heard.queue not in self._queues:
            return f"it came from {heard.queue or 'nowhere'}, which is no queue of {self.service}"
        try:
            if self._hearing.hear(heard) is None:
                return f"type {heard.properties.type!r} is not understood at {heard.queue}"
        except Unreadable as error:
            return f"it is still unreadable: {error}"
        return f"its handler refused it for good: {reason}" if parked_as == "refused" else ""


def _again(letter: Parked, delivery: Delivery) -> Outgoing:
    """The message as it goes back: the same id, so that the inbox knows it; its attempts are forgotten, its past is not."""
    headers = copied_headers(delivery.properties.headers)
    kept = {name: value for name, value in headers.items() if name not in BOOKKEEPING}
    properties = copied_properties(delivery.properties, {**kept, "replayed": letter.replayed + 1})
    return Outgoing("", letter.queue, delivery.body, properties)
