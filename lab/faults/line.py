"""One connection through a proxy: two sockets, and a pump in each direction."""

from __future__ import annotations

import asyncio
import socket
import struct
from contextlib import suppress
from dataclasses import dataclass

from lab.faults.meter import Meter

READ_BYTES = 65536

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER on, for no time: closing sends RST instead of FIN (socket(7))."""


@dataclass(frozen=True)
class Spoilt:
    """What is done to everything that passes: seconds, bytes, bytes a second, or nothing passes at all."""

    latency: float = 0.0
    slices: int = 0
    bandwidth: float = 0.0
    silent: bool = False


class Line:
    """Passes bytes between a client and the server, until one of them ends it or :meth:`cut` does."""

    def __init__(self, target: tuple[str, int], client: socket.socket, meter: Meter, spoilt: Spoilt) -> None:
        self._client, self._meter = client, meter
        self._server = socket.socket()
        self._spoilt = spoilt
        self._speaks = asyncio.Event()
        self._reset = False
        self.ended: BaseException | None = None
        """What ended it, if not its clients in order or :meth:`cut`."""
        self.spoil(spoilt)
        self.task = asyncio.get_running_loop().create_task(self._live(target))

    def spoil(self, spoilt: Spoilt) -> None:
        """Treat what passes so from now on."""
        self._spoilt = spoilt
        if spoilt.silent:
            self._speaks.clear()
        else:
            self._speaks.set()

    def cut(self, reset: bool) -> None:
        """End it now."""
        self._reset = self._reset or reset
        self.task.cancel()

    async def _live(self, target: tuple[str, int]) -> None:
        try:
            for end in (self._client, self._server):
                end.setblocking(False)
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await self._speaks.wait()
            await asyncio.get_running_loop().sock_connect(self._server, target)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._pump(self._client, self._server, "server"))
                both.create_task(self._pump(self._server, self._client, "client"))
        except* (OSError, _Cut) as ended:  # one end is gone, or we ended it: the other is told the same way
            self.ended = ended
        finally:
            for end in (self._client, self._server):
                if self._reset:
                    with suppress(OSError):
                        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.close()

    async def _pump(self, source: socket.socket, target: socket.socket, toward: str) -> None:
        while data := await self._read(source):
            size = self._spoilt.slices or len(data)
            for start in range(0, len(data), size):
                await self._pass(target, data[start : start + size], toward)
        with suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    async def _read(self, source: socket.socket) -> bytes:
        try:
            return await asyncio.get_running_loop().sock_recv(source, READ_BYTES)
        except ConnectionResetError:
            self._reset = True
            raise

    async def _pass(self, target: socket.socket, data: bytes, toward: str) -> None:
        spoilt = self._spoilt
        if pause := spoilt.latency + (len(data) / spoilt.bandwidth if spoilt.bandwidth else 0):
            await asyncio.sleep(pause)
        await self._speaks.wait()
        size, cut = self._meter.may_pass(toward, len(data))
        await asyncio.get_running_loop().sock_sendall(target, data[:size])
        if cut is not None:
            self._reset = cut
            raise _Cut


class _Cut(Exception):
    """The byte is reached at which this connection dies."""
