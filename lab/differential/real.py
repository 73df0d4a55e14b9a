"""RabbitMQ's side: how it is looked at, and cleared for the next program."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from lab.differential.operations import QUEUES
from lab.differential.script import Script
from lab.differential.sides import CONNECTION_OF, Side
from patterns.amqp import Channel
from patterns.connection import RabbitTransport
from patterns.errors import BrokerUnavailable, ChannelClosed

NOT_FOUND, LOCKED = 404, 405


class RealSide(Side):
    """RabbitMQ with the programs' clients, and a witness on each connection that only looks."""

    def __init__(self, url: str) -> None:
        self.prefix = f"d{os.urandom(3).hex()}."
        transport = RabbitTransport(url, heartbeat=0)  # a machine that is busy loses no connection
        super().__init__(transport)
        with closing(transport.connect("differential")) as asking:
            self.turns_deaths = asking.facts.version.startswith("3.")
            """Whether it turns a message's earlier deaths round with each new one: RabbitMQ 3.10 does, 4.0 does not."""
        self._witnesses: list[dict[int, Channel]] = [{} for _ in self.connections]
        self._together = ThreadPoolExecutor(QUEUES, "differential")

    def reconnect(self, number: int) -> None:
        """Close a connection and open it again, with its clients' channels."""
        super().reconnect(number)
        self._witnesses[number] = {}

    def counts(self, queues: Mapping[str, int]) -> dict[str, tuple[int, int] | None]:
        """How many messages are ready and how many consumers there are, by queue; None if there is no such queue.

        ``queues`` says on which connection to ask, because of exclusive ones.  All are asked at once.
        """
        asked = [(name, self._witness(number, place)) for place, (name, number) in enumerate(queues.items())]
        return dict(zip(queues, self._together.map(_count, asked), strict=True))

    def _witness(self, connection: int, place: int = 0) -> Channel:
        witness = self._witnesses[connection].get(place)
        if witness is None or not witness.is_open:
            witness = self._witnesses[connection][place] = self.connections[connection].channel()
        return witness

    def catch_up(self, client: int) -> None:
        """Wait until a client has got what was sent to its channel by now."""
        try:
            self.channels[client].declare_exchange("amq.direct", "direct", passive=True)
        except (ChannelClosed, BrokerUnavailable):
            return  # comparing will tell

    def clear(self, script: Script) -> None:
        """End what a program left: its channels, with all they hold, its queues and exchanges."""
        for client in script.used:
            self.channels[client].close()
            self.channels[client] = self.connections[CONNECTION_OF[client]].channel()
        for number in script.shapes:
            self._delete(f"{script.prefix}q{number}")
        for number in script.kinds:
            self._witness(0).delete_exchange(f"{script.prefix}x{number}")

    def _delete(self, queue: str) -> None:
        for number in range(len(self.connections)):
            try:
                self._witness(number).delete_queue(queue)
                return
            except ChannelClosed as error:
                if error.code != LOCKED:
                    raise

    def close(self) -> None:
        """Hang up."""
        self._together.shutdown()
        super().close()


def _count(asked: tuple[str, Channel]) -> tuple[int, int] | None:
    queue, witness = asked
    try:
        info = witness.declare_queue(queue, passive=True)
    except ChannelClosed as error:
        if error.code != NOT_FOUND:
            raise
        return None
    return info.messages, info.consumers
