"""``orderflow --version``."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Annotated

import typer


def _show(wanted: bool) -> None:
    if wanted:
        print(f"orderflow {version('orderflow')} (Python {platform.python_version()})")
        raise typer.Exit


def orderflow(
    _: Annotated[
        bool, typer.Option("--version", callback=_show, is_eager=True, help="say which version this is")
    ] = False,
) -> None:
    """One order flow over RabbitMQ in six messaging styles."""
