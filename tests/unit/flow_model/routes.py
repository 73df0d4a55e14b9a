"""Who hears what in a mode, for the models: read off the real wiring, never written down a second time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from lab.shop import wirings_in
from patterns.address import Answer, Rpc
from patterns.hops import CLIENT, hops
from tests.unit.flow_model.machine import Machine, Said


class Way(NamedTuple):
    """One message on its way to one handler that has a row in the machine."""

    speaker: str
    message: str
    listener: str
    handler: str
    kind: str  # "answer", "question" (its handler's answer goes back to the asker), or "news"

    def __str__(self) -> str:
        return f"{self.speaker}'s {self.message} -> {self.handler}"


Routes = tuple[Way, ...]


def routes_of(mode: str) -> Routes:
    """Every way of a mode, sorted: modes that differ in addresses only have the same."""
    ways = {
        Way(hop.speaker, hop.message.__name__, hop.listener, hop.handler.__name__, _kind(hop.address))
        for hop in hops(wirings_in(mode)) if hop.speaker != CLIENT and Machine().knows(hop.handler.__name__)
    }
    return tuple(sorted(ways))


def plain(routes: Routes) -> Routes:
    """The same ways, whether they are questions, answers or news."""
    return tuple(way._replace(kind="news") for way in routes)


def _kind(address: object) -> str:
    return "answer" if isinstance(address, Answer) else "question" if isinstance(address, Rpc) else "news"


class Board:
    """Which ways are open, as bits of a number: what a model's state is made of."""

    def __init__(self, routes: Routes) -> None:
        self.ways = [(1 << number, way) for number, way in enumerate(routes)]
        self._opened: dict[tuple[str, Said], int] = {}

    def opened(self, speaker: str, said: Said) -> int:
        """The ways that open when this is said."""
        if (speaker, said) not in self._opened:
            self._opened[speaker, said] = sum(
                bit for bit, way in self.ways if way.speaker == speaker and way.message in said
            )
        return self._opened[speaker, said]

    def open(self, ways: int) -> Iterator[tuple[int, Way]]:
        """The open ones among the ways."""
        return ((bit, way) for bit, way in self.ways if ways & bit)
