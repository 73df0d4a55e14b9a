"""``orderflow order``: place an order, and see its story through all services."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer
from rich.live import Live

from lab.commands import console
from lab.wide import print_wide
from patterns.errors import SettingsError
from patterns.settings import MODES

if TYPE_CHECKING:
    from lab.order_story import Story


def order(
    user: Annotated[int, typer.Option(min=1, help="whose order")] = 1,
    product: Annotated[int, typer.Option(min=1, help="what is ordered")] = 1,
    quantity: Annotated[int, typer.Option(min=1, help="how many of it")] = 1,
    items: Annotated[str, typer.Option(help="several products instead, as PRODUCTxQUANTITY: 1x2,3x1")] = "",
    mode: Annotated[str, typer.Option(help="how this order travels; as the shop is set, unless given")] = "",
    key: Annotated[str, typer.Option(help="its Idempotency-Key: the same key is the same order")] = "",
    url: Annotated[str, typer.Option(help="where the order service is; on this machine, unless given")] = "",
    wait: Annotated[float, typer.Option(min=0, help="follow it for at most so many seconds")] = 60,
    mermaid: Annotated[Path | None, typer.Option(help="write the sequence diagram to this file, for Mermaid")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,
) -> None:
    """Place an order at a running shop, and show its story as it happens; exit status 1 when it is not told in time."""
    from lab import order_story

    if mode and mode not in MODES:
        raise SettingsError(f"{mode} is no mode; there are {', '.join(MODES)}")
    wanted = _items(items) if items else ((product, quantity),)
    wish = order_story.Wish(user, wanted, mode or None, key or str(uuid4()))
    with order_story.RunningShop(url) as shop:
        if as_json or not console.is_terminal:
            story = order_story.follow(shop, wish, wait)
        else:
            room = max(1, console.height - 3)  # while it grows, its last lines; the whole of it stays in the end
            with Live(console=console, transient=True) as live:
                story = order_story.follow(shop, wish, wait, lambda now: live.update(order_story.as_table(now, room)))
    if mermaid is not None:
        mermaid.write_text(order_story.as_mermaid(story), encoding="utf-8")
    if as_json:
        print(json.dumps(story.as_dict(), indent=2))
    else:
        _tell(story)
    raise typer.Exit(1 if story.to_come else 0)


def _tell(story: Story) -> None:
    """The table, the diagram, and what is still to come."""
    from lab import order_story

    print_wide(console, order_story.as_table(story), f"\n{order_story.as_text(story)}\n")
    for left in story.to_come:
        console.print(f"still to come: {left}", style="yellow", highlight=False, markup=False, soft_wrap=True)


def _items(text: str) -> tuple[tuple[int, int], ...]:
    """Read ``1x2,3x1``: two pieces of product 1, one of product 3."""
    found = [re.fullmatch(r"(\d{1,19})x(\d{1,19})", part.strip()) for part in text.split(",")]
    if not all(found):
        raise SettingsError(f"--items {text}: not like 1x2,3x1 (two pieces of product 1, one of product 3)")
    return tuple((int(one[1]), int(one[2])) for one in found if one)
