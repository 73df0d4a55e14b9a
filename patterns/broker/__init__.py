"""The embedded broker: RabbitMQ's behaviour in one Python process, for running the shop without installing anything.

::

    EmbeddedTransport   the port (patterns.amqp), with a lock and conditions ── transport, client, journal, timer
      Machine           a pure state machine: no threads, no clock, no I/O   ── machine, and the layers it stands on:
                        core < storing < closing < declaring, speaking, hearing

It is one process and one file, made to survive ``kill -9``, not a power cut; for more than one machine use RabbitMQ.
"""

from patterns.broker.journal import Journal
from patterns.broker.machine import Machine
from patterns.broker.transport import EmbeddedTransport

__all__ = ["EmbeddedTransport", "Journal", "Machine"]
