"""What is said together goes out in few packets, whole and in order; what comes together is handed over together."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pika
import pytest
from pika.adapters.utils.io_services_utils import _AsyncPlaintextTransport

from patterns.connection_pika import PACKET_BYTES, PikaConnection


@pytest.fixture
def packets(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    sent: list[bytes] = []
    monkeypatch.setattr(pika.SelectConnection, "_adapter_emit_data", lambda _, data: sent.append(data))
    yield sent


@pytest.fixture
def connection(packets: list[bytes]) -> PikaConnection:
    return PikaConnection.__new__(PikaConnection)  # not connected to anything


def say(connection: PikaConnection, *frames: bytes) -> None:
    for frame in frames:
        connection._adapter_emit_data(frame)


def test_frames_said_together_are_one_packet(connection: PikaConnection, packets: list[bytes]) -> None:
    say(connection, b"a", b"b")
    with connection.together():
        say(connection, b"c", b"d", b"e")
        assert packets == [b"a", b"b"]
    say(connection, b"f")
    assert packets == [b"a", b"b", b"cde", b"f"]


def test_a_large_batch_is_several_packets(connection: PikaConnection, packets: list[bytes]) -> None:
    frames = [bytes([number]) * 1000 for number in range(200)]
    with connection.together():
        say(connection, *frames)
    assert b"".join(packets) == b"".join(frames)
    assert len(packets) == 4
    assert all(len(packet) < PACKET_BYTES + 1000 for packet in packets)


def test_nothing_said_is_nothing_sent(connection: PikaConnection, packets: list[bytes]) -> None:
    with connection.together():
        say(connection)
    assert packets == []


def test_what_was_said_before_an_error_is_sent(connection: PikaConnection, packets: list[bytes]) -> None:
    with pytest.raises(ZeroDivisionError), connection.together():
        say(connection, b"a", b"b")
        raise ZeroDivisionError
    say(connection, b"c")
    assert packets == [b"ab", b"c"]


def test_a_batch_is_read_at_once(monkeypatch: pytest.MonkeyPatch, connection: PikaConnection) -> None:
    begun: list[object] = []
    monkeypatch.setattr(pika.SelectConnection, "_proto_connection_made", lambda _, transport: begun.append(transport))
    transport = object.__new__(_AsyncPlaintextTransport)
    assert transport._MAX_RECV_BYTES < PACKET_BYTES
    connection._proto_connection_made(transport)
    assert transport._MAX_RECV_BYTES == PACKET_BYTES and begun == [transport]


def test_what_is_read_at_once_is_understood_before_anybody_is_told(
    connection: PikaConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []

    def understand(connection: PikaConnection, data: bytes) -> None:
        for letter in data.decode():
            happened.append(letter)
            connection.when_read(partial(happened.append, letter.upper()))

    monkeypatch.setattr(pika.SelectConnection, "_on_data_available", understand)
    connection._on_data_available(b"a")
    connection._on_data_available(b"")
    connection._on_data_available(b"bc")
    assert happened == list("aAbcBC")
