"""Pika's connection, made to send what belongs together in few packets, and nothing that RabbitMQ hangs up on.

pika hands each frame to the kernel by itself, three for a message, and each wakes RabbitMQ's reader.  A batch of 32
messages in one packet costs both sides half of what 96 packets do.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pika

PACKET_BYTES = 65536


class PikaConnection(pika.SelectConnection):  # type: ignore[misc] # pika ships no type hints
    """Holds back what is sent within ``together``, and sends it at its end; refuses what is too long."""

    _held: list[bytes] | None = None

    @contextmanager
    def together(self) -> Iterator[None]:
        """Send what is said in here in as few packets as possible."""
        self._held = []
        try:
            yield
        finally:
            held, self._held = self._held, None
            packet: list[bytes] = []
            size = 0
            for frame in held:
                packet.append(frame)
                size += len(frame)
                if size >= PACKET_BYTES:
                    super()._adapter_emit_data(b"".join(packet))
                    packet, size = [], 0
            if packet:
                super()._adapter_emit_data(b"".join(packet))

    def _adapter_emit_data(self, data: bytes) -> None:
        if self._held is None:
            super()._adapter_emit_data(data)
        else:
            self._held.append(data)

    def _output_marshaled_frames(self, marshaled_frames: Sequence[bytes]) -> None:
        """Refuse a frame that is too long (bodies are cut up, headers cannot be): RabbitMQ would hang up on us."""
        longest = max(map(len, marshaled_frames))
        if 0 < self.params.frame_max < longest:
            raise ValueError(
                f"AMQP cannot carry this: headers of {longest} bytes, and a frame has at most {self.params.frame_max}"
            )
        super()._output_marshaled_frames(marshaled_frames)

    def cut(self) -> None:
        """Break off without a word; the callback for a closed connection follows."""
        self._terminate_stream(pika.exceptions.ConnectionClosedByClient(0, "cut off"))
