"""Whatever clients do and whenever the broker restarts: a stored message is in exactly one place until it is done with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from patterns.broker import Machine
from patterns.broker.data import Consumer, Queue
from patterns.broker.effects import Deliver
from patterns.broker.framing import decode, encode
from patterns.broker.records import rebuild, restarted, survivors
from tests.unit.broker.bench import Bench

QUEUES = ("classic", "quorum", "delay")
everything = ("dead", *QUEUES)


def places(machine: Machine, *, lasting: bool = False) -> Counter[str]:
    """How many copies of each message the machine holds, wherever."""
    entries = [entry for queue in machine.queues.values() for entry in queue.ready]
    entries += [entry for queue in machine.queues.values() for entry, _ in queue.stuck.values()]
    entries += [entry for channel in machine.channels.values() for entry, _, _ in channel.unacked.values()]
    return Counter(entry.message.body.decode() for entry in entries if entry.lasting or not lasting)


class NothingLost(RuleBasedStateMachine):
    """Clients publish, read and die; the broker restarts; copies are counted."""

    def __init__(self) -> None:
        super().__init__()
        self.bench = Bench()
        self.expected: Counter[str] = Counter()
        self.held: dict[int, str] = {}  # delivery tag -> body, on the one channel that reads
        self.published = 0
        self.declare()

    def declare(self) -> None:
        """What the topology is, also after a restart: all of it is durable."""
        bench = self.bench
        bench.machine.choose = self.choose
        bench.exchange("all", "topic")
        bench.queue("dead")
        dead: dict[str, Any] = {"dead_letter_exchange": "", "dead_letter_routing_key": "dead"}
        bench.queue("classic", **dead)
        bench.queue("quorum", kind="quorum", delivery_limit=3, dead_letter_strategy="at-least-once",
                    overflow="reject-publish", **dead)
        bench.queue("delay", message_ttl=1000, dead_letter_exchange="all", dead_letter_routing_key="late")
        for queue, key in (("classic", "both"), ("quorum", "both"), ("quorum", "late"), ("quorum", "#.both.#")):
            bench.bind(queue, "all", key)
        for queue in everything[:3]:
            bench.consume(queue, prefetch=2)
            bench.consume(queue, prefetch=1)
        self.held = {}
        self.read()

    def choose(self, _: Queue, ready: Sequence[Consumer]) -> Consumer:
        """Another consumer each time, and not in turn."""
        return ready[self.published * 7 % 3 % len(ready)]

    def read(self) -> None:
        """Take what was delivered."""
        for effect in self.bench.machine.take_effects():
            if isinstance(effect, Deliver) and effect.channel == self.bench.channel:
                assert effect.tag is not None
                self.held[effect.tag] = effect.message.body.decode()

    @rule(key=st.sampled_from(["both", "late", "nowhere"]))
    def publish_to_a_topic(self, key: str) -> None:
        self.published += 1
        body = str(self.published)
        stored = self.bench.publish(key, body, "all", mandatory=True)
        assert stored == ("returned" if key == "nowhere" else "stored")
        self.expected[body] += {"both": 2, "late": 1, "nowhere": 0}[key]
        self.read()

    @rule(queue=st.sampled_from(everything), expiration=st.sampled_from([None, None, "0", "500"]))
    def publish_to_a_queue(self, queue: str, expiration: str | None) -> None:
        if queue == "dead":
            expiration = None  # it has no dead-letter exchange: there the message would be gone, and rightly
        self.published += 1
        body = str(self.published)
        assert self.bench.publish(queue, body, expiration=expiration) == "stored"
        self.expected[body] += 1
        self.read()

    @precondition(lambda self: self.held)
    @rule(data=st.data(), what=st.sampled_from(["ack", "ack", "ack all", "nack", "nack all", "reject", "drop"]))
    def settle(self, data: st.DataObject, what: str) -> None:
        tag = data.draw(st.sampled_from(sorted(self.held)))
        multiple = what.endswith("all")
        tags = [each for each in self.held if each == tag or (multiple and each < tag)]
        # Done with: what is acknowledged, and what is thrown away where there is no dead-letter exchange.
        holding = self.bench.machine.channels[self.bench.channel].unacked
        for each in tags:
            if what.startswith("ack") or (what == "drop" and holding[each][1].name == "dead"):
                self.expected[self.held[each]] -= 1
            del self.held[each]
        match what:
            case "ack" | "ack all":
                self.bench.ack(tag, multiple=multiple)
            case "nack" | "nack all":
                self.bench.nack(tag, multiple=multiple)
            case _:
                self.bench.machine.reject(self.bench.channel, tag, self.bench.now, requeue=what == "reject")
        self.read()

    @rule(seconds=st.sampled_from([0.1, 0.5, 1.0, 3.0]))
    def time_passes(self, seconds: float) -> None:
        self.bench.later(seconds)
        self.read()

    @rule(how=st.sampled_from(["channel", "connection"]))
    def client_dies(self, how: str) -> None:
        machine, bench = self.bench.machine, self.bench
        if how == "channel":
            machine.close_channel(bench.channel, bench.now)
        else:
            machine.disconnect(bench.connection, bench.now)
            bench.connection = machine.connect("test")
        bench.channel = machine.open_channel(bench.connection)
        machine.take_effects()
        self.declare()

    @rule()
    def broker_restarts(self) -> None:
        self.bench.restart()
        self.declare()

    @rule(frame=st.booleans())
    def compact(self, frame: bool) -> None:
        """The journal is rewritten from what is there now."""
        self.bench.write()
        records = list(survivors(self.bench.machine))
        self.bench.journal = encode(records) if frame else b"".join(encode([record]) for record in records)

    @invariant()
    def every_message_is_in_exactly_one_place(self) -> None:
        self.bench.write()
        expected = +self.expected
        assert places(self.bench.machine) == expected
        assert places(self.bench.machine, lasting=True) == expected
        now = self.bench.now
        reread = rebuild(Machine(), decode(self.bench.journal)[0], now)
        assert places(reread) == expected
        assert _contents(reread) == _contents(restarted(self.bench.machine, now, life="1"))

    @invariant()
    def what_is_counted_adds_up(self) -> None:
        for queue in self.bench.machine.queues.values():
            in_flight = [
                consumer for channel in self.bench.machine.channels.values()
                for _, source, consumer in channel.unacked.values() if source is queue
            ]
            assert queue.unacked == len(in_flight)
            assert 0 <= queue.returned <= len(queue.ready)
            for consumer in queue.consumers:
                assert consumer.unacked == in_flight.count(consumer) <= consumer.prefetch
            if any(consumer.unacked < consumer.prefetch for consumer in queue.consumers):
                assert not queue.ready, "a consumer has room, and messages wait"


def _contents(machine: Machine) -> dict[str, list[tuple[int, str, int, float | None]]]:
    return {
        name: [(entry.id, entry.message.body.decode(), entry.returns, entry.expires_at) for entry in queue.ready]
        for name, queue in machine.queues.items()
    }


TestNothingLost = NothingLost.TestCase
TestNothingLost.settings = settings(max_examples=1500, stateful_step_count=40, deadline=None)
