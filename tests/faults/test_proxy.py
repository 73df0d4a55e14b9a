"""The proxy that spoils connections does to them what it says, and nothing else."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from lab.faults.proxy import Proxy

SENT = bytes(range(256)) * 40


@pytest.fixture
def echo() -> Iterator[str]:
    """A server that sends back what it hears, and reads one piece at a time."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            try:
                while data := client.recv(65536):
                    client.sendall(data)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"amqp://me:secret@127.0.0.1:{listener.getsockname()[1]}/shop?heartbeat=5"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


@pytest.fixture
def proxy(echo: str) -> Iterator[Proxy]:
    with Proxy(echo) as proxy:
        yield proxy


def connected(proxy: Proxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=30)


def heard(client: socket.socket, size: int | None = None) -> bytes:
    """What arrives: so many bytes, or all there are until the other end closes."""
    data = b""
    while size is None or len(data) < size:
        piece = client.recv(65536)
        if not piece:
            break
        data += piece
    return data


def test_a_url_leads_through_it_and_keeps_the_rest(proxy: Proxy) -> None:
    assert proxy.url == f"amqp://me:secret@127.0.0.1:{proxy.port}/shop?heartbeat=5"
    assert proxy.through("postgresql://h:1/a_{service}") == f"postgresql://127.0.0.1:{proxy.port}/a_{{service}}"


@pytest.mark.parametrize("spoilt", [{}, {"slices": 1}, {"slices": 7, "latency": 0.0001}, {"bandwidth": 1e6}])
def test_what_passes_is_not_changed_however_it_is_spoilt(proxy: Proxy, spoilt: dict[str, float]) -> None:
    proxy.spoil(**spoilt)  # type: ignore[arg-type]
    with closing(connected(proxy)) as client:
        client.sendall(SENT)
        assert heard(client, len(SENT)) == SENT
        client.shutdown(socket.SHUT_WR)
        assert heard(client) == b"", "whoever hangs up is hung up on by the other end"
    assert proxy.passed == {"server": len(SENT), "client": len(SENT)}


def test_slices_arrive_one_by_one(proxy: Proxy) -> None:
    proxy.spoil(slices=1, latency=0.02)
    with closing(connected(proxy)) as client:
        began = time.monotonic()
        client.sendall(b"abcd")
        assert client.recv(100) == b"a"
        assert heard(client, 3) == b"bcd"
        assert time.monotonic() - began >= 5 * 0.02, "each slice waited, one way and the other"


@pytest.mark.parametrize("reset", [False, True])
@pytest.mark.parametrize("toward", ["server", "client"])
@pytest.mark.parametrize("size", [0, 1, 149, 150])
def test_a_connection_is_cut_at_the_byte(proxy: Proxy, toward: str, size: int, reset: bool) -> None:
    with closing(connected(proxy)) as other, closing(connected(proxy)) as client:
        other.sendall(b"untouched")
        assert heard(other, 9) == b"untouched"
        before = dict(proxy.passed)
        proxy.cut_after(size, toward, reset=reset)  # type: ignore[arg-type]
        client.sendall(bytes(150))
        data = b""
        try:
            data = heard(client)
            assert not reset or toward == "server"
        except ConnectionResetError:
            assert reset
        assert len(data) <= size
        assert proxy.passed[toward] - before[toward] == size
        assert proxy.cuts == 1
        other.sendall(b"goes on")
        assert heard(other, 7) == b"goes on"


@pytest.mark.parametrize("reset", [False, True])
def test_all_are_cut_at_once_in_order_or_with_a_reset(proxy: Proxy, reset: bool) -> None:
    clients = [connected(proxy) for _ in range(3)]
    for client in clients:
        client.sendall(b"x")
        assert heard(client, 1) == b"x"
    assert proxy.cut(reset=reset) == 3
    for client in clients:
        if reset:
            with pytest.raises(ConnectionResetError):
                client.recv(1)
        else:
            assert client.recv(1) == b""
        client.close()
    assert proxy.connections == 0


def test_a_line_that_fell_silent_goes_on_where_it_stopped(proxy: Proxy) -> None:
    with closing(connected(proxy)) as client:
        client.sendall(b"before")
        assert heard(client, 6) == b"before"
        proxy.fall_silent()
        client.sendall(b"during")
        with closing(connected(proxy)) as late:
            late.sendall(b"late")
            for silent in (client, late):
                silent.settimeout(0.2)
                with pytest.raises(TimeoutError):
                    silent.recv(1)
            proxy.heal()
            for speaks, said in ((client, b"during"), (late, b"late")):
                speaks.settimeout(30)
                assert heard(speaks, len(said)) == said


def test_nobody_behind_it_is_a_connection_that_ends(echo: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"amqp://127.0.0.1:{taken.getsockname()[1]}/"
    with Proxy(nobody) as proxy, closing(connected(proxy)) as client:
        assert client.recv(1) == b""
