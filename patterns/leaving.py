"""Leaving: what a process that was told to end (SIGTERM) tells whoever told it.

Exit status 0: all that was in hand is finished, said and acknowledged.  Anything else: DRAIN_SECONDS were over first, and
the broker delivers the rest to another instance; nothing is lost either way.
"""

from __future__ import annotations

import os
import signal
import sys


def leave_in_peace() -> None:
    """Exit with status 0 although we were told to end by SIGTERM: called on the main thread, when all is finished.

    uvicorn raises the signal again at its very end, which would kill us (status 143 in a shell) however well it went.
    A blocked signal stays pending, and a process that ends takes it along.
    """
    if hasattr(signal, "pthread_sigmask"):  # not on Windows, which has no SIGTERM to speak of
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})


def leave_at_once() -> None:
    """End this process now, with status 1: a call that does not return would keep Python waiting for its thread."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
