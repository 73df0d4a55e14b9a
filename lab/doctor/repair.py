"""Declare what is missing, and what differs anew; never at the cost of a message.

A queue that differs must go before it can be declared as wanted, and a message said meanwhile would miss it.  So it goes
only when it is empty and unread, when no service is running, when nothing waits to come back to it, and when no stranger
is connected, where the broker shows who is.  Classic queues and exchanges are deleted with ``if-empty`` and
``if-unused``, so that the broker itself refuses; for quorum queues it knows neither (540 NOT_IMPLEMENTED, seen
on 3.10 and 4.0), so we look just before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lab.doctor.asking import Asker
from lab.doctor.findings import Deed
from lab.doctor.there import There, queue_standing
from lab.doctor.views import Listing
from lab.doctor.wanted import Wanted
from patterns.amqp import Connection
from patterns.errors import ChannelClosed, ConnectionLost
from patterns.shop import SERVICES

NOT_FOR_QUORUM = "540"
"""RabbitMQ's answer to ``if-empty`` and ``if-unused`` on a quorum queue: NOT_IMPLEMENTED, and the connection ends."""


@dataclass
class Repair:
    """One repair: of what these services want, in the light of the whole shop."""

    asker: Asker
    wanted: Wanted
    whole: Wanted
    there: There
    listing: Listing | str
    connect: Callable[[], Connection]
    declared: dict[str, list[str]] = field(default_factory=dict)  # what was missing
    left: set[str] = field(default_factory=set)  # what could not be repaired: nothing is bound to it

    def run(self) -> Iterator[Deed]:
        """Do what can be done; says each thing that was done or refused."""
        for name, kind in self.wanted.exchanges.items():
            yield from self._exchange(name, kind)
        for name in self.wanted.queues:
            yield from self._queue(name)
        yield from self._bindings()
        for what, names in self.declared.items():
            yield Deed(True, f"{what} declared: {', '.join(names)}.")

    def _exchange(self, name: str, kind: str) -> Iterator[Deed]:
        standing = self.there.exchanges[name]
        if standing is not None and standing.differs:
            gone = self.asker.ask(lambda channel: channel.delete_exchange(name, if_unused=True))
            if isinstance(gone, ChannelClosed):
                self.left.add(name)
                why = f"{gone.code} {gone.text}.  Remove its bindings, then repair again."
                yield Deed(False, f"{name} ({standing.differs}) stays as it is: {why}")
                return
        elif standing is not None:
            return
        made = self.asker.ask(lambda channel: channel.declare_exchange(name, kind))
        yield from self._made("Exchanges", name, standing is not None, made)

    def _queue(self, name: str) -> Iterator[Deed]:
        standing = self.there.queues[name]
        if standing is not None and standing.differs:
            why = self._obstacle(name) or self._delete(name)
            if why:
                self.left.add(name)
                yield Deed(False, f"{name} ({standing.differs}) stays as it is: {why}")
                return
        elif standing is not None:
            return
        made = self.asker.ask(lambda channel: channel.declare_queue(name, arguments=self.wanted.queues[name]))
        yield from self._made("Queues", name, standing is not None, made)

    def _made(self, what: str, name: str, anew: bool, made: object) -> Iterator[Deed]:
        if isinstance(made, ChannelClosed):
            self.left.add(name)
            yield Deed(False, f"{name} cannot be declared: {made.code} {made.text}")
        elif anew:
            yield Deed(True, f"{name} was empty and is declared anew.")
        else:
            self.declared.setdefault(what, []).append(name)

    def _obstacle(self, name: str) -> str:
        """Why deleting this queue might lose a message; empty when it cannot."""
        standing = queue_standing(self.asker, name, self.wanted.queues[name])
        if standing is not None and standing.messages:
            return (
                f"it holds {standing.messages} messages.  Let the services empty it, with the settings it was declared "
                "with, or move them to another queue (management UI, Move messages); then repair again."
            )
        running = sorted(
            service for service, queues in self.whole.readers.items() if any(map(self.there.consumers, queues))
        )
        if running:
            return f"{', '.join(running)} would speak while it is away, and it would miss that.  Stop them, repair again."
        if standing is not None and standing.consumers:
            return "somebody reads it.  Stop the reader, repair again."
        coming = [retry for retry in self.whole.queues if retry in self.whole.exchanges and self.there.ready(retry)]
        if coming and name not in coming:
            return f"messages in {', '.join(coming)} may be on their way back to it.  Repair again when they have left."
        return self._strangers()

    def _strangers(self) -> str:
        if isinstance(self.listing, str) or self.listing.clients is None:
            return ""
        # Nobody reads, so a service's own connection is one of its attempts, which what differs ends at once.
        ours = tuple(f"{service}." for service in SERVICES)
        others = sorted({client for client in self.listing.clients if not client.startswith(ours)})
        return f"others are connected, and might publish: {', '.join(others)}.  Stop them, repair again." if others else ""

    def _delete(self, name: str) -> str:
        """Delete a queue that is empty and unread; why not, if it could not be."""
        asker = Asker(self.connect())  # its own connection: at a quorum queue the broker ends it
        try:
            gone = asker.ask(lambda channel: channel.delete_queue(name, if_unused=True, if_empty=True))
        except ConnectionLost as lost:
            if NOT_FOR_QUORUM not in str(lost):
                raise
            gone = self.asker.ask(lambda channel: channel.delete_queue(name))
        finally:
            asker.connection.close()
        if isinstance(gone, ChannelClosed):
            return f"{gone.code} {gone.text}"
        return f"{gone} messages that came in that very moment went with it; repair again." if gone else ""

    def _bindings(self) -> Iterator[Deed]:
        known = None if isinstance(self.listing, str) else self.listing.bindings
        done = 0
        for binding in self.wanted.bindings:
            if {binding.queue, binding.exchange} & self.left:
                continue
            made = self.asker.ask(lambda channel, b=binding: channel.bind(b.queue, b.exchange, b.key))  # type: ignore[misc]
            if isinstance(made, ChannelClosed):
                yield Deed(False, f"{binding} cannot be bound: {made.code} {made.text}")
                continue
            done += 1
            if known is not None and binding not in known:
                self.declared.setdefault("Bindings", []).append(str(binding))
        if known is None:
            yield Deed(True, f"{done} bindings are declared; which of them were missing could not be seen.")
