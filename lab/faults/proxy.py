"""A TCP proxy on loopback that spoils what passes through it; everything can be changed while it runs.

::

    proxy = Proxy(rabbitmq_url)             clients use proxy.url, or proxy.through(another URL of that server)
    proxy.cut_after(100, "server")          the connection that carries the 100th byte from now dies after it
    proxy.spoil(slices=1, latency=0.05)     each byte by itself; each piece later
    proxy.fall_silent(); proxy.heal()       a cable pulled out, and put back

What is passed on is never changed or left out in the middle: a line that fell silent and is healed goes on where it
stopped, as TCP does, and a connection that is cut has delivered a beginning of what was sent.  After Toxiproxy's
toxics (https://github.com/Shopify/toxiproxy#toxics).
"""

from __future__ import annotations

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import partial
from types import TracebackType
from typing import Any, Literal, Self, TypeVar
from urllib.parse import urlsplit

from lab.faults.line import Line, Spoilt
from lab.faults.meter import Meter

Toward = Literal["server", "client"]
T = TypeVar("T")


class Proxy:
    """Listens on a port of its own, in a thread of its own, and passes bytes to the server that the URL names."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port = int(self._listener.getsockname()[1])
        self.url = self.through(url)
        self._meter = Meter()
        self.spoilt = Spoilt()
        self._lines: set[Line] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name=f"proxy:{self.port}", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def through(self, url: str) -> str:
        """The same URL, by way of this proxy."""
        parts = urlsplit(url)
        user = f"{parts.netloc.rpartition('@')[0]}@" if "@" in parts.netloc else ""
        return parts._replace(netloc=f"{user}127.0.0.1:{self.port}").geturl()

    @property
    def passed(self) -> Counter[str]:
        """How many bytes were passed on toward ``server`` and ``client``."""
        return self._meter.passed.copy()

    @property
    def cuts(self) -> int:
        """How many connections were broken here."""
        return self._meter.cuts

    @property
    def connections(self) -> int:
        """How many connections pass through it now."""
        return len(self._lines)

    def spoil(self, *, latency: float = 0.0, slices: int = 0, bandwidth: float = 0.0) -> None:
        """Hold each piece back for so many seconds, cut it into slices of so many bytes, pass so many bytes a second."""
        self._do(self._spoil(Spoilt(latency, slices, bandwidth, silent=self.spoilt.silent)))

    def fall_silent(self) -> None:
        """Pass nothing on any more, and tell neither end, as when a cable is pulled out; nor whoever connects now."""
        self._do(self._spoil(Spoilt(silent=True)))

    def heal(self) -> None:
        """Pass everything on again, as it comes; what was held back follows, and nothing will be cut."""
        self._do(self._heal())

    def cut(self, *, reset: bool = False) -> int:
        """End all connections now: in order (FIN), or with a reset (RST); answers how many there were."""
        return self._do(self._cut(reset))

    def cut_after(self, size: int, toward: Toward, *, reset: bool = False) -> None:
        """Once so many more bytes have passed toward this end, of all connections, cut the one that carried the last.

        No byte more is passed on; 0: the next one is not.
        """
        self._do(self._limit(size, toward, reset))

    def close(self) -> None:
        """Cut everything and stop listening."""
        if not self._thread.is_alive():
            return
        self._do(self._cut(reset=False))
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    # -- in its thread

    def _do(self, what: Coroutine[Any, Any, T]) -> T:
        done: Future[T] = asyncio.run_coroutine_threadsafe(what, self._loop)
        return done.result()

    def _run(self) -> None:
        accepting = self._loop.create_task(self._accept())
        self._loop.run_forever()
        tasks = [accepting, *(line.task for line in self._lines)]
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            client, _ = await self._loop.sock_accept(self._listener)
            line = Line(self._target, client, self._meter, self.spoilt)
            self._lines.add(line)
            line.task.add_done_callback(partial(self._gone, line))

    def _gone(self, line: Line, _: object) -> None:
        self._lines.discard(line)

    async def _spoil(self, spoilt: Spoilt) -> None:
        self.spoilt = spoilt
        for line in self._lines:
            line.spoil(spoilt)

    async def _heal(self) -> None:
        self._meter.limits.clear()
        await self._spoil(Spoilt())

    async def _limit(self, size: int, toward: Toward, reset: bool) -> None:
        self._meter.limits[toward] = size, reset

    async def _cut(self, reset: bool) -> int:
        lines = [line for line in self._lines if not line.task.done()]
        self._meter.cuts += len(lines)
        for line in lines:
            line.cut(reset)
        await asyncio.gather(*(line.task for line in lines), return_exceptions=True)
        return len(lines)
