"""Which broker: RabbitMQ where RABBITMQ_URL names one, else the embedded one in ORDERFLOW_HOME.

Never a silent fallback: a configured RabbitMQ that does not answer is waited for, not replaced.
"""

from __future__ import annotations

import threading

from patterns.amqp import Transport
from patterns.broker import EmbeddedTransport
from patterns.connection import RabbitTransport
from patterns.settings import settings

_lock = threading.Lock()
_transport: Transport | None = None


def transport() -> Transport:
    """This process's broker, the same for everybody in it.

    Raises EmbeddedBrokerInUse when another process holds the embedded broker's folder.
    """
    global _transport
    with _lock:
        if _transport is None:
            url = settings().rabbitmq_url
            _transport = RabbitTransport(url) if url else EmbeddedTransport(settings().orderflow_home / "broker")
        return _transport


def current() -> Transport | None:
    """This process's broker, if it uses one already."""
    return _transport


def use(chosen: Transport | None) -> None:
    """Let this process use another broker from now on, or (None) choose anew by the settings."""
    global _transport
    with _lock:
        if isinstance(_transport, EmbeddedTransport) and _transport is not chosen:
            _transport.close()
        _transport = chosen
