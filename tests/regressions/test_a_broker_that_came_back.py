"""The embedded broker numbered connections anew after a restart: closing an old one then ended a new one.

Found by the simulation: a service whose voice was closed late said nothing any more, and did not notice.
"""

from __future__ import annotations

from patterns.amqp import Outgoing, Receipt
from patterns.broker import EmbeddedTransport


def test_closing_an_old_connection_late_leaves_the_new_one_alone() -> None:
    broker = EmbeddedTransport()
    old = broker.connect("old")
    old.channel().declare_queue("hello")
    broker.restart()
    new = broker.connect("new")
    channel = new.channel()
    old.close()
    assert new.is_open
    assert channel.publish([Outgoing("", "hello", b"still here")]) == [Receipt.CONFIRMED]
    broker.close()
