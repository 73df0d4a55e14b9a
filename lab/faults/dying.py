"""``orderflow`` in a process that dies, as by ``kill -9``, at an exact place when told to; the product knows nothing of it.

::

    handler ─ before-commit ─ COMMIT ─ after-commit ─ publish, confirms ─ after-publish ─ outbox mark ─ before-ack ─ ack

The file that the environment variable names holds the place; whoever gets there first takes the file away and dies.
``python -m lab.faults.dying serve order`` is ``orderflow serve order`` that can.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from pathlib import Path
from typing import Any

VARIABLE = "ORDERFLOW_LAB_DIES"
PLACES = ("before-commit", "after-commit", "after-publish", "before-ack")
STATUS = 137
"""The exit status of what died by itself: what a shell shows for a process ended by SIGKILL."""

WORK = ("deliver", "_act")
"""The transactions worth dying in: a message's, and a client's or a clock's."""

_inside = threading.local()


def tell_to_die(file: Path, place: str) -> None:
    """Let the process with this file die at this place."""
    fresh = file.with_suffix(".new")
    fresh.write_text(place)
    fresh.replace(file)


def withdraw(file: Path) -> bool:
    """Take it back; False when the process has taken it already, and is dead or dying."""
    with suppress(FileNotFoundError):
        file.unlink()
        return True
    return False


def visit(place: str) -> None:
    """Die here if that was asked for."""
    file = Path(os.environ[VARIABLE])
    if _asked(file) == place and withdraw(file):
        os._exit(STATUS)


def _asked(file: Path) -> str | None:
    with suppress(FileNotFoundError):
        return file.read_text()
    return None


def _visit_first(owner: type, name: str, place: str, worth: Callable[..., object]) -> None:
    """Let a method visit the place before it does its work, if that work is worth it."""
    original = getattr(owner, name)

    @wraps(original)
    def visiting(self: object, *args: Any, **kwargs: Any) -> Any:
        if worth(*args):
            visit(place)
        return original(self, *args, **kwargs)

    setattr(owner, name, visiting)


def _note_work(owner: type, name: str) -> None:
    """Let a method note, for its thread, which work it was given."""
    original = getattr(owner, name)

    @wraps(original)
    def noting(self: object, work: Any, *args: Any, **kwargs: Any) -> Any:
        _inside.work = getattr(work, "__name__", "")
        try:
            return original(self, work, *args, **kwargs)
        finally:
            _inside.work = ""

    setattr(owner, name, noting)


def _in_work(_: object) -> bool:
    return getattr(_inside, "work", "") in WORK


def be_mortal() -> None:
    """Put the places into the methods of this process."""
    from patterns.connection_channel import RabbitChannel
    from patterns.database import Database
    from patterns.voice import Voice

    _note_work(Database, "transact")
    _visit_first(Database, "_commit", "before-commit", _in_work)
    _visit_first(Voice, "say", "after-commit", lambda said: said)
    _visit_first(Voice, "_note_sent", "after-publish", lambda message_ids: message_ids)
    _visit_first(RabbitChannel, "ack", "before-ack", lambda *_: True)


if __name__ == "__main__":
    from lab.cli import main

    be_mortal()
    main()
