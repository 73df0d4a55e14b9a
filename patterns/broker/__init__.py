"""The embedded broker: RabbitMQ's behaviour in one Python process, for running the shop without installing anything.

::

    EmbeddedTransport   the port (patterns.amqp), and handles for tests     ── transport, connection, channel
      Engine            a lock, a journal, a timer                          ── engine, journal, framing, records
        Machine         a pure state machine: no threads, no clock, no I/O  ── machine, and the layers it stands on:
                        core < storing < closing < declaring, speaking, hearing < machine

It is one process and one file, made to survive ``kill -9``, not a power cut; for more than one machine use RabbitMQ.
"""

from patterns.broker.journal import Journal
from patterns.broker.machine import Machine
from patterns.broker.transport import EmbeddedTransport

__all__ = ["EmbeddedTransport", "Journal", "Machine"]
