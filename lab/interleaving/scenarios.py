"""Scenarios: which transactions meet, and what stood in the tables before."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lab.interleaving.stage import Stage
from patterns.message import Message

Act = Callable[[Stage], object]

BOTH = ("rpc", "topic")
"""In mode rpc the inbox lets a request through again, and the step row alone stands guard; the others are all alike."""


@dataclass(frozen=True)
class Scenario:
    """Transactions of one service that meet."""

    name: str
    service: str
    acts: tuple[Act, ...]
    before: tuple[Act, ...] = ()
    modes: tuple[str, ...] = BOTH
    as_serial: bool = True
    """Whether every order must leave what some order of whole transactions leaves."""


def hears(*messages: Message, again: str = "") -> Act:
    """The service hears these as one batch; ``again``: under ids that it has not heard."""
    return lambda stage: stage.hear(*messages, again=again)


def performs(wish: Message) -> Act:
    """A client asks for an act."""
    return lambda stage: stage.perform(wish)


def does(work: Callable[..., Any], *args: Any) -> Act:
    """A client, or the staff, asks for a verb."""
    return lambda stage: stage.do(work, *args)
