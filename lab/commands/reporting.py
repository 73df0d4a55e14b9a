"""What a command that wrote a report says in the end."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console


class Reported(Protocol):
    """A result with all its figures."""

    def as_dict(self) -> dict[str, Any]:
        """The figures, for JSON."""


def report(
    result: Reported, show: Callable[[], None], written: Sequence[Path], missing: str | None, errors: Console, *,
    as_json: bool,
) -> None:
    """Print the result, as JSON or by ``show``; on ``errors`` what was ``missing`` for it, and where it is ``written``."""
    if as_json:
        print(json.dumps(result.as_dict(), indent=2))
    else:
        show()
    if missing:
        errors.print(missing, highlight=False, markup=False, soft_wrap=True)
    errors.print(f"Written: {', '.join(map(str, written))}", highlight=False, soft_wrap=True)
