"""The story as a sequence diagram: on the terminal, and in Mermaid.

An arrow is drawn when its message is heard, and so once for each who hears it; a dashed one is an answer to a question.
https://mermaid.js.org/syntax/sequenceDiagram.html
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lab.order_story.story import Story
from patterns.amqp import DIRECT_REPLY_TO
from patterns.hops import CLIENT

LANES = (CLIENT, "order", "product", "user", "payment", "delivery", "notification")
LANE_WIDTH = 10
MARGIN = 9
"""Room for the time, in milliseconds, left of the first lane."""


@dataclass(frozen=True)
class Step:
    """One arrow of the diagram, or (``speaker`` is ``listener``) a note; ``at`` in seconds since the order was placed."""

    at: float
    speaker: str
    listener: str
    words: str
    dashed: bool = False


def steps(story: Story) -> list[Step]:
    """The whole diagram, in time."""
    return sorted(_steps(story), key=lambda step: step.at)


def _steps(story: Story) -> Iterator[Step]:
    order = story.order
    placed = order.placed_at if order else 0.0
    yield Step(0.0, CLIENT, "order", "POST /orders")
    for one in story.messages:
        if one.direction == "heard":
            answers = one.where == DIRECT_REPLY_TO
            yield Step(one.at - placed, one.other or "?", one.service, f"{one.type} ({one.handler})", answers)
    if order is not None and order.settled_at is not None:
        why = f": {order.reason}" if order.reason else ""
        yield Step(order.settled_at - placed, "order", "order", f"{order.status}{why}")
        if order.undone_at is not None:
            yield Step(order.undone_at - placed, "order", "order", "everything is undone")
    for at, whom, remark in story.remarks:
        yield Step(at - placed, whom, whom, remark)
    if story.answer is not None:
        yield Step(story.answer.seconds, "order", CLIENT, f"{story.answer.code} {story.answer.status}", dashed=True)
    for one, listener in story.unheard():
        if story.over:
            yield Step(one.at - placed, one.service, listener, f"{one.type}, never noted as heard")
        else:
            yield Step(float("inf"), one.service, listener, f"{one.type}, not heard yet")


def _lanes(drawn: Sequence[Step]) -> list[str]:
    seen = {name for step in drawn for name in (step.speaker, step.listener)}
    return [lane for lane in LANES if lane in seen] + sorted(seen - set(LANES))


def as_text(story: Story) -> str:
    """The diagram in characters: a lane for each who takes part, time going down."""
    drawn = steps(story)
    lanes = _lanes(drawn)
    heads = " " * MARGIN + "".join(lane.ljust(LANE_WIDTH) for lane in lanes)
    return "\n".join([heads.rstrip(), *(_line(step, lanes) for step in drawn)])


def _line(step: Step, lanes: Sequence[str]) -> str:
    """One line: the time, the lanes with the arrow across them, the words."""
    places = {lane: 2 + number * LANE_WIDTH for number, lane in enumerate(lanes)}
    row = list(" " * (len(lanes) * LANE_WIDTH))
    for place in places.values():
        row[place] = "│"
    here, there = places[step.speaker], places[step.listener]
    if here == there:
        row[here] = "●"
    else:
        left, right = sorted((here, there))
        stroke = "╌" if step.dashed else "─"
        row[left + 1 : right] = [stroke if one == " " else "┼" for one in row[left + 1 : right]]
        row[there + (1 if there < here else -1)] = "<" if there < here else ">"
        row[here] = "┤" if there < here else "├"
    time = f"{step.at * 1000:5.0f} ms" if step.at != float("inf") else "     …  "
    return f"{time:<{MARGIN}}{''.join(row)}  {step.words}"


def as_mermaid(story: Story, moral: str = "") -> str:
    """The diagram in Mermaid, which GitHub and many editors draw; ``moral``: what to say below it all."""
    drawn = steps(story)
    lanes = _lanes(drawn)
    lines = ["sequenceDiagram", *(f"    participant {lane}" for lane in lanes)]
    for step in drawn:
        words = _plain(step.words)
        if step.speaker == step.listener:
            lines.append(f"    Note over {step.listener}: {words}")
        else:
            lines.append(f"    {step.speaker}{'-->>' if step.dashed else '->>'}{step.listener}: {words}")
    lines += [f"    Note over {lanes[0]},{lanes[-1]}: {_plain(moral)}"] if moral else []
    return "\n".join(lines) + "\n"


def _plain(words: str) -> str:
    """Without what Mermaid takes for its own."""
    return words.replace(";", ",").replace("#", "no. ")
