"""What is said together goes out in few packets, whole and in order."""

from __future__ import annotations

from collections.abc import Iterator

import pika
import pytest

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
