"""A mode as a sequence diagram, in Mermaid: the success path, and one undo.

Solid arrows are messages, dashed ones answers to a question; in brackets stands what the hearer does.
https://mermaid.js.org/syntax/sequenceDiagram.html
"""

from __future__ import annotations

from collections.abc import Sequence

from patterns.address import Answer
from patterns.flow_walk import forward, refused
from patterns.hops import Hop, ModeWirings, choices, hops
from patterns.shop import DeliveryFailed, OrderConfirmed, OrderFailed, PaymentTaken

SETTLES = {OrderConfirmed: "the order is a SUCCESS", OrderFailed: "the order has FAILED"}


def mermaid(wirings: ModeWirings, undo: bool = False) -> str:
    """Draw the way of a successful order, or (``undo``) of one whose parcel nobody takes."""
    path = forward(hops(wirings))
    if not undo:
        return _draw(path, path, [])
    asked = [hop for hop in path if hop.message is PaymentTaken and DeliveryFailed in outcomes_of(hop)]
    return _draw(path, [*asked, *refused(hops(wirings), DeliveryFailed)], asked)


def outcomes_of(hop: Hop) -> set[type]:
    """Everything that may be said after this hop."""
    return {message for option in choices(hop.handler, hop.message) for message in option}


def _draw(order_of_appearance: Sequence[Hop], path: Sequence[Hop], declined: Sequence[Hop]) -> str:
    services = dict.fromkeys(name for hop in order_of_appearance for name in (hop.speaker, hop.listener))
    seen = {name for hop in path for name in (hop.speaker, hop.listener)}
    speaks = {hop.speaker for hop in order_of_appearance}
    columns = sorted((name for name in services if name in seen), key=lambda name: name not in speaks)  # mere ears last
    lines = ["sequenceDiagram", *(f"    participant {service}" for service in columns)]
    for hop in path:
        arrow = "-->>" if isinstance(hop.address, Answer) else "->>"
        lines.append(f"    {hop.speaker}{arrow}{hop.listener}: {hop.message.__name__} ({hop.handler.__name__})")
        if hop in declined:
            lines.append(f"    Note over {hop.listener}: no parcel can be sent")
            continue
        lines += [f"    Note over {hop.listener}: {SETTLES[said]}" for said in SETTLES if said in outcomes_of(hop)]
    return "\n".join(lines)
