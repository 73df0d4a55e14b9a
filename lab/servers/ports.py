"""Free ports on loopback that stay free until somebody listens on them."""

from __future__ import annotations

import contextlib
import os
import random
import socket

LOWEST, HIGHEST = 10_000, 32_767
"""Below every system's ephemeral range (Linux begins at 32768, macOS at 49152), from which the other ends of connections
take theirs: a port found free there may be taken a moment later by somebody's outgoing connection."""
BLOCK = 48
"""Ports taken at a time: each block costs its process one open socket."""

_order = random.Random(os.urandom(8))  # noqa: S311 (spread, not secret): processes side by side look in other places
_left: list[int] = []
os.register_at_fork(after_in_child=_left.clear)  # a forked process takes blocks of its own


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on, given to nobody else while this process runs.  Raises OSError when none are left.

    A process takes whole blocks, and keeps each by a UDP socket bound to the block's first number: the system refuses
    that to a second process, and takes it back when the first one ends, however it ends.  Without that, two shops in two
    processes could draw the same port, and the client of one be answered by the other.
    """
    found: list[int] = []
    while len(found) < count:
        if not _left:
            _left.extend(_take_block())
        if _is_free(port := _left.pop()):
            found.append(port)
    return found


def _take_block() -> range:
    """The ports of a block that is nobody's; its own from now on."""
    firsts = list(range(LOWEST, HIGHEST - BLOCK + 2, BLOCK))
    for first in _order.sample(firsts, len(firsts)):
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            taken.bind(("127.0.0.1", first))
        except OSError:
            taken.close()
            continue
        taken.detach()  # open until the process ends
        return range(first, first + BLOCK)
    raise OSError(f"all ports between {LOWEST} and {HIGHEST} on 127.0.0.1 are taken; do too many tests run at a time?")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        # As a server binds, so that a port whose last connections are still closing counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True
