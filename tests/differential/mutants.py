"""The embedded broker, wrong in one point each: programs of operations must find every one.

``orderflow verify --tier broker`` tries them all, and says after how many programs each was found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from patterns.broker.arguments import understand
from patterns.broker.closing import Closing
from patterns.broker.data import Channel, Consumer, Message, Queue
from patterns.broker.deadletter import dead_letter
from patterns.broker.declaring import Declaring
from patterns.broker.effects import Deliver
from patterns.broker.exchanges import Exchange, topic_matches
from patterns.broker.hearing import Hearing
from patterns.broker.machine import Machine
from patterns.broker.speaking import Speaking
from patterns.broker.storing import Storing

Broken = pytest.MonkeyPatch


def to_the_tail(broken: Broken) -> None:
    """Requeue behind everything else."""
    broken.setattr("patterns.broker.storing.put_back", lambda queue, entries, **_: queue.ready.extend(entries))


def multiple_is_one(broken: Broken) -> None:
    """Settle one delivery where several are meant."""
    real = Hearing._settled
    broken.setattr(Hearing, "_settled", lambda self, channel, tag, _, now: real(self, channel, tag, False, now))


def never_redelivered(broken: Broken) -> None:
    """Forget that a message was seen before."""
    real_serve, real_get = Storing.serve, Hearing.get

    def serve(self: Machine, queue: Queue, *args: Any, **options: Any) -> None:
        _forget(queue)
        real_serve(self, queue, *args, **options)

    def get(self: Machine, channel: int, name: str, *args: Any, **options: Any) -> Deliver | None:
        if name in self.queues:
            _forget(self.queues[name])
        return real_get(self, channel, name, *args, **options)

    broken.setattr(Storing, "serve", serve)
    broken.setattr(Hearing, "get", get)


def _forget(queue: Queue) -> None:
    for entry in queue.ready:
        entry.redelivered = False


def no_prefetch(broken: Broken) -> None:
    """Deliver everything at once."""
    broken.setattr("patterns.broker.storing.has_room", lambda _: True)


def one_death(broken: Broken) -> None:
    """Count one death, however often a message dies in the same place."""

    def dead(message: Message, *args: Any) -> Message:
        letter = dead_letter(message, *args)
        first, *others = letter.properties.headers["x-death"]
        headers = {**letter.properties.headers, "x-death": [{**first, "count": 1}, *others]}
        return replace(letter, properties=replace(letter.properties, headers=headers))

    broken.setattr("patterns.broker.storing.dead_letter", dead)


def nothing_returned(broken: Broken) -> None:
    """Confirm what nobody takes, and do not return it."""
    real = Speaking.publish
    broken.setattr(Speaking, "publish", lambda self, channel, message, now: real(
        self, channel, replace(message, mandatory=False), now))


def every_binding_a_copy(broken: Broken) -> None:
    """Put a message into a queue once for each binding that matches."""
    broken.setattr("patterns.broker.exchanges._once", tuple)


def refused_is_confirmed(broken: Broken) -> None:
    """Confirm what a full queue refused."""
    real = Storing.store
    broken.setattr(Storing, "store", lambda self, *args: real(self, *args) or True)


def exclusive_survives(broken: Broken) -> None:
    """Keep exclusive queues when their connection ends."""
    real = Closing.disconnect

    def disconnect(self: Machine, connection: int, now: float) -> None:
        for queue in self.queues.values():
            if queue.owner == connection:
                queue.owner, queue.exclusive = None, False
        real(self, connection, now)

    broken.setattr(Closing, "disconnect", disconnect)


def purge_counts_wrong(broken: Broken) -> None:
    """Count one message too many."""
    real = Declaring.purge
    broken.setattr(Declaring, "purge", lambda self, *args: (count := real(self, *args)) + (count > 0))


def hash_is_a_word(broken: Broken) -> None:
    """Let ``#`` stand for one word or more, not for none."""
    broken.setattr("patterns.broker.exchanges.topic_matches", lambda pattern, key: topic_matches(
        pattern.replace("#", "*.#"), key))


def no_alternate(broken: Broken) -> None:
    """Take no notice of alternate exchanges."""
    broken.setattr(Exchange, "alternate", None)


def dropped_with_the_channel(broken: Broken) -> None:
    """Lose what a closed channel held."""
    real = Closing.drop_channels

    def drop(self: Machine, channels: list[Channel], now: float) -> None:
        for channel in channels:
            for _, queue, _ in channel.unacked.values():
                queue.unacked -= 1
            channel.unacked.clear()
        real(self, channels, now)

    broken.setattr(Closing, "drop_channels", drop)


def no_dead_letters(broken: Broken) -> None:
    """Drop what dies."""
    broken.setattr(Storing, "_move_dead", lambda *_: True)


def no_delivery_limit(broken: Broken) -> None:
    """Deliver for ever."""

    def endless(queue: Queue) -> Queue:
        understand(queue).delivery_limit = None
        return queue

    broken.setattr("patterns.broker.declaring.understand", endless)


def any_tag_will_do(broken: Broken) -> None:
    """Overlook a delivery tag that was never given."""
    real = Hearing._settled
    broken.setattr(Hearing, "_settled", lambda self, channel, tag, multiple, now: real(
        self, channel, tag, multiple, now) if tag in channel.unacked else [])


def auto_delete_stays(broken: Broken) -> None:
    """Keep an auto-delete queue when its last consumer leaves."""
    broken.setattr(Closing, "leave", lambda *_: None)


def the_newest_goes(broken: Broken) -> None:
    """Drop the newest message of a queue that is too long, not the oldest."""

    def overflow(self: Machine, queue: Queue, now: float) -> None:
        while queue.max_length is not None and not queue.rejects and len(queue.ready) > queue.max_length:
            self.bury(queue, queue.ready.pop(), "maxlen", now)

    broken.setattr(Storing, "_drop_overflow", overflow)


def cancelled_in_silence(broken: Broken) -> None:
    """Do not tell a consumer that its queue is gone."""
    broken.setattr(Closing, "_notify", lambda _, consumer: _without(consumer))


def _without(consumer: Consumer) -> None:
    consumer.channel.consumers.pop(consumer.tag, None)


def expires_behind_the_head(broken: Broken) -> None:
    """Let what is behind the head expire at once."""
    real = Machine.advance

    def advance(self: Machine, now: float) -> None:
        for queue in self.queues.values():
            for entry in [each for each in queue.ready if each.expires_at is not None and each.expires_at <= now]:
                queue.ready.remove(entry)
                self.bury(queue, entry, "expired", now)
        real(self, now)

    broken.setattr(Machine, "advance", advance)


MUTANTS: tuple[Callable[[Broken], None], ...] = (
    to_the_tail, multiple_is_one, never_redelivered, no_prefetch, one_death, nothing_returned, every_binding_a_copy,
    refused_is_confirmed, exclusive_survives, purge_counts_wrong, hash_is_a_word, no_alternate, dropped_with_the_channel,
    no_dead_letters, no_delivery_limit, any_tag_will_do, auto_delete_stays, the_newest_goes, cancelled_in_silence,
    expires_behind_the_head,
)
SELDOM_FOUND = (every_binding_a_copy, no_alternate, exclusive_survives, hash_is_a_word, the_newest_goes, one_death,
                auto_delete_stays, purge_counts_wrong, cancelled_in_silence)
"""Those that one set of programs may not find."""
