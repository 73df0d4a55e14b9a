"""A TCP forwarder: passes everything on until it is told to cut, at once or after so many bytes, or to say nothing more."""

from __future__ import annotations

import socket
import threading
from urllib.parse import urlsplit


class Forwarder:
    """Listens on a port of its own and passes bytes to where the URL points; ``url`` is the way through it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._target = (parts.hostname or "127.0.0.1", parts.port or 5672)
        self._listener = socket.create_server(("127.0.0.1", 0))
        user = parts.netloc.rpartition("@")[0]
        self.url = parts._replace(netloc=f"{user}@127.0.0.1:{self._listener.getsockname()[1]}").geturl()
        self._pairs: set[tuple[socket.socket, socket.socket]] = set()
        self._lock = threading.Lock()
        self._left: int | None = None
        self._speaks = threading.Event()
        self._speaks.set()
        self._silent: set[tuple[socket.socket, socket.socket]] = set()
        self._threads = [threading.Thread(target=self._accept, name="forwarder", daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Cut all connections now."""
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            for end in pair:
                _shut(end)

    def cut_after(self, size: int) -> None:
        """Cut all connections once the clients have sent so many more bytes; the last of them do not arrive."""
        with self._lock:
            self._left = size

    def fall_silent(self) -> None:
        """Pass nothing on any more, and say nothing of it: neither end is told, as when a cable is pulled."""
        self._speaks.clear()

    def speak_again(self) -> None:
        """New connections pass again; those that fell silent stay so, since what they did not pass on is missing."""
        with self._lock:
            self._silent |= self._pairs
        self._speaks.set()

    def close(self) -> None:
        """Cut everything and stop listening."""
        self._speaks.set()
        _shut(self._listener)
        self._threads[0].join()
        self._listener.close()
        self.cut()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = socket.create_connection(self._target)
            except OSError:
                client.close()
                continue
            pair = (client, server)
            with self._lock:
                self._pairs.add(pair)
            thread = threading.Thread(target=self._pass_both, args=(pair,), name="forwarder", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _pass_both(self, pair: tuple[socket.socket, socket.socket]) -> None:
        back = threading.Thread(target=self._pass, args=(pair, pair[1], pair[0]), name="forwarder", daemon=True)
        back.start()
        self._pass(pair, pair[0], pair[1], counted=True)
        back.join()
        with self._lock:
            self._pairs.discard(pair)
            self._silent.discard(pair)
        for end in pair:
            end.close()

    def _pass(
        self, pair: tuple[socket.socket, socket.socket], source: socket.socket, target: socket.socket, *,
        counted: bool = False,
    ) -> None:
        try:
            while (data := source.recv(65536)):
                if self._is_silent(pair):
                    continue
                if counted and not self._may_pass(len(data)):
                    break
                target.sendall(data)
        except OSError:
            return
        finally:
            _shut(source)
            if not self._is_silent(pair):
                _shut(target)

    def _is_silent(self, pair: tuple[socket.socket, socket.socket]) -> bool:
        return not self._speaks.is_set() or pair in self._silent

    def _may_pass(self, size: int) -> bool:
        with self._lock:
            if self._left is None:
                return True
            self._left -= size
            if self._left > 0:
                return True
            self._left = None
            return False


def _shut(end: socket.socket) -> None:
    """Both directions, also when it is not connected (any more)."""
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
