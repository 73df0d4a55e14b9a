"""Free ports on loopback that stay free until somebody listens on them."""

from __future__ import annotations

import contextlib
import os
import random
import socket

LOWEST, HIGHEST = 10_000, 32_767
"""Below every system's ephemeral range (Linux begins at 32768, macOS at 49152), from which the other ends of connections
take theirs: a port found free there may be taken a moment later by somebody's outgoing connection."""

_order = random.Random(os.urandom(8))  # noqa: S311 (spread, not secret): processes side by side look in other places
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Loopback ports nobody listens on now; no port twice in one process.  Raises OSError when none can be found."""
    found: list[int] = []
    for _ in range(HIGHEST - LOWEST):
        if len(found) == count:
            return found
        port = _order.randint(LOWEST, HIGHEST)
        if port not in _given and _is_free(port):
            _given.add(port)
            found.append(port)
    raise OSError(f"no {count} free ports between {LOWEST} and {HIGHEST} on 127.0.0.1")


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
