"""Tables and drawings as wide as they are, also where the terminal is narrower: a broken line says less than a cut one."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table


def print_wide(console: Console, *things: Table | str) -> None:
    """Print tables without folding their columns, and text as it stands."""
    options = console.options.update(width=300)
    room = max([console.width, *(console.measure(one, options=options).maximum for one in things if isinstance(one, Table))])
    wide = Console(width=room, file=console.file, force_terminal=console.is_terminal)
    for one in things:
        if isinstance(one, str):
            wide.print(one, highlight=False, markup=False, soft_wrap=True)
        else:
            wide.print(one, soft_wrap=True)
