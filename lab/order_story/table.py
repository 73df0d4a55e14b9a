"""The story as a table: a line for each thing that happened, in time."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from lab.order_story.story import Story

COLOURS = {"PROCESSING": "yellow", "SUCCESS": "green", "FAILED": "red"}

_WORDS = {"heard": "hears", "said": "says"}


def as_table(story: Story, last: int | None = None) -> Table:
    """Everything heard, said and noted so far, or only the last lines of it.

    Times count from the moment the order was placed, by the clocks of the services' databases; the client's by its own,
    from its request on.
    """
    table = Table(title=_title(story), title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("ms", justify="right", no_wrap=True)
    for heading in ("who", "does what", "where", "with"):
        table.add_column(heading, no_wrap=True)
    lines = sorted(_lines(story), key=lambda line: line[0])
    for at, cells in lines[-last:] if last else lines:
        table.add_row(str(round(at * 1000)), *cells)
    return table


def _title(story: Story) -> Text:
    order = story.order
    if order is None:
        return Text(f"Order {story.order_id}: not placed yet")
    title = Text(f"Order {order.id} in mode {order.mode}: ")
    title.append(order.status, COLOURS[order.status])
    title.append(f" ({order.reason})" if order.reason else "")
    return title.append(f", {order.saga_state}, after {(order.settled_at - order.placed_at) * 1000:.0f} ms"
                        if order.settled_at else f", {order.saga_state}")


def _lines(story: Story) -> Iterator[tuple[float, tuple[str, ...]]]:
    """Every line with its time in seconds; what happened at the same moment stays in this order."""
    placed = story.order.placed_at if story.order else 0.0
    yield 0.0, ("client", "asks POST /orders", "", "")
    for entry in story.messages:
        what = f"{_WORDS[entry.direction]} {entry.type}"
        yield entry.at - placed, (entry.service, what, entry.where, entry.handler or "")
    for note in story.history:
        yield note.happened_at - placed, ("order", f"notes {note.event}", "", note.saga_state)
    for at, whom, remark in story.remarks:
        yield at - placed, (f"({whom})", remark, "", "")
    if story.answer is not None:
        yield story.answer.seconds, ("client", f"gets {story.answer.code} {story.answer.status}", "", "")
