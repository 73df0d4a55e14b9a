"""Checks of a wiring: every story ends as it must, on every path."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from patterns.hops import Hop, ModeWirings, choices, hops
from patterns.message import Message
from patterns.shop import (
    DeliveryFailed,
    FundsRejected,
    OrderCancelled,
    OrderConfirmed,
    OrderFailed,
    OrderPlaced,
    PaymentFailed,
    StockReleased,
)

STORIES: Mapping[type[Message], tuple[type[Message], ...]] = {
    OrderPlaced: (OrderConfirmed, OrderFailed),
    FundsRejected: (StockReleased,), PaymentFailed: (StockReleased,), DeliveryFailed: (StockReleased,),
    OrderCancelled: (StockReleased,),
}
"""How each story must end, whatever is answered on the way: with one of these words."""



def open_ends(wirings: ModeWirings) -> list[str]:
    """Every story ends as it must, on every path."""
    every = hops(wirings)
    complaints = []
    for start, endings in STORIES.items():
        speakers = dict.fromkeys(hop.speaker for hop in every if hop.message is start)
        if not speakers:
            complaints.append(f"nobody ever says {start.__name__}")
        for speaker in speakers:
            complaints += [
                f"{path}: there it stops, without {' or '.join(ending.__name__ for ending in endings)}"
                for path in _tell(every, speaker, start, endings, ())
            ]
    return complaints


def _tell(
    every: Collection[Hop], speaker: str, message: type[Message], endings: tuple[type[Message], ...], path: tuple[str, ...]
) -> list[str]:
    """Every way in which a story can go on from here without one of these endings."""
    if message in endings:
        return []
    here = f"{speaker}: {message.__name__}"
    complaints: list[str] = []
    for hop in every if here not in path else ():
        if (hop.speaker, hop.message) != (speaker, message):
            continue
        options = choices(hop.handler, message)
        tails = [
            min((_tell(every, hop.listener, said, endings, (*path, here)) for said in option), key=len)
            for option in options
        ]
        if options and not any(tails):
            return []
        complaints += [complaint for tail in tails for complaint in tail]
    return complaints or [" > ".join((*path, here))]
