"""Parked messages on both brokers: looked at and sent back, none lost, none out of order."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from lab.shop import wirings_of
from patterns import parked as parked_module
from patterns.amqp import Channel, Delivery, Outgoing, Properties, Receipt, Transport
from patterns.errors import BrokerUnavailable, Conflict, ConnectionLost
from patterns.parked import ParkedQueue
from patterns.parked_letter import Parked
from patterns.retry import Retries
from patterns.settings import configure
from patterns.topology import declare
from tests.contract.brokers import Broker

QUEUE = "product.reserve"


@pytest.fixture
def channel(broker: Broker) -> Iterator[Channel]:
    configure()
    connection = broker.transport.connect("test.parked")
    channel = connection.channel()
    declare(channel, "product", wirings_of("product"))
    for queue in ("product.parked", QUEUE, "product.topic"):
        channel.purge(queue)
    yield channel
    connection.close()


@pytest.fixture
def parked(broker: Broker, channel: Channel) -> ParkedQueue:
    return ParkedQueue("product", broker.transport, wirings_of("product"))


def order_placed(order_id: UUID | None = None) -> bytes:
    line = {"product_id": 1, "quantity": 1}
    return json.dumps({"order_id": str(order_id or uuid4()), "user_id": 1, "lines": [line]}).encode()


def park(channel: Channel, count: int = 1, *, queue: str = QUEUE, body: bytes | None = None, **given: Any) -> list[str]:
    """Messages that failed for good; answers their ids."""
    ids = [str(uuid4()) for _ in range(count)]
    for each in ids:
        properties = Properties(**{"message_id": each, "type": "OrderPlaced", "headers": {"mode": "default"}, **given})
        delivery = Delivery(queue, 1, "", queue, order_placed() if body is None else body, properties)
        Retries("product", channel).park(delivery, "failed 4 times, at last: RuntimeError: no", "failed")
    return ids


def there(channel: Channel, queue: str) -> list[str | None]:
    """The ids of the messages in a queue, which is emptied."""
    found = []
    while (delivery := channel.get(queue, auto_ack=True)) is not None:
        found.append(delivery.properties.message_id)
    return found


def everything(_: Parked) -> bool:
    return True


def test_a_look_changes_nothing_not_even_the_order(parked: ParkedQueue, channel: Channel) -> None:
    ids = park(channel, 40)
    for _ in range(3):
        waiting, letters = parked.look()
        assert (waiting, [letter.message_id for letter in letters]) == (40, ids)
        assert [letter.message_id for letter in parked.look(5)[1]] == ids[:5]
    assert there(channel, "product.parked") == ids


def test_what_is_seen_is_what_was_parked(parked: ParkedQueue, channel: Channel) -> None:
    order_id = uuid4()
    [message_id] = park(channel, body=order_placed(order_id), app_id="order")
    [letter] = parked.look()[1]
    other = {"parked_at", "first_failed_at", "failures", "headers", "body", "id", "body_bytes"}
    assert letter.model_dump(exclude=other) == {
        "service": "product", "type": "OrderPlaced", "message_id": message_id, "order_id": order_id, "mode": "default",
        "sender": "order", "queue": QUEUE, "parked_as": "failed", "hopeless": "", "attempts": 1, "replayed": 0,
        "reason": "failed 4 times, at last: RuntimeError: no", "content_type": "application/json",
    }
    assert letter.parked_at == letter.first_failed_at == letter.failures[0].at > 1_700_000_000
    assert json.loads(letter.body)["order_id"] == str(order_id)


def test_nothing_is_parked_where_the_service_never_ran(broker: Broker) -> None:
    assert ParkedQueue("nobody", broker.transport, {}).look() == (0, [])


def test_chosen_ones_go_back_and_the_others_stay_in_their_order(parked: ParkedQueue, channel: Channel) -> None:
    ids = park(channel, 9)
    done = parked.replay(lambda letter: letter.message_id in ids[2::3])
    assert [(each.letter.message_id, each.verdict) for each in done] == [(each, "replayed") for each in ids[2::3]]
    assert there(channel, QUEUE) == ids[2::3]
    assert [letter.message_id for letter in parked.look()[1]] == [each for each in ids if each not in ids[2::3]]


def test_a_replay_starts_afresh_and_remembers_the_past(parked: ParkedQueue, channel: Channel) -> None:
    body = order_placed()
    [message_id] = park(channel, body=body, correlation_id="c", headers={"order_id": "x", "attempt": 3, "mode": "default"})
    parked.replay(everything, force=True)
    back = channel.get(QUEUE, auto_ack=True)
    assert back is not None
    headers = dict(back.properties.headers)
    assert (back.body, back.properties.message_id, back.properties.correlation_id) == (body, message_id, "c")
    assert (headers["replayed"], headers["order_id"], len(headers["failures"])) == (1, "x", 1)
    assert not {"attempt", "parked_from", "parked_because", "parked_as", "parked_at"} & set(headers)
    Retries("product", channel).park(back, "again", "failed")
    [letter] = parked.look()[1]
    assert [failure.reason for failure in letter.failures][-1:] == ["again"]
    assert (letter.replayed, len(letter.failures)) == (1, 2)


HOPELESS: dict[str, tuple[dict[str, Any], str]] = {
    "unreadable": ({"body": b"\xff\0"}, "it is still unreadable: not a readable OrderPlaced"),
    "no id": ({"message_id": None}, "it is still unreadable: no message_id"),
    "another type": ({"type": "Surprise"}, "it is still unreadable: type 'Surprise' is not understood"),
    "another's queue": ({"queue": "user.hold"}, "it came from user.hold, which is no queue of product"),
}


@pytest.mark.parametrize("kind", HOPELESS)
def test_what_can_never_work_is_refused_unless_forced(parked: ParkedQueue, channel: Channel, kind: str) -> None:
    given, why = HOPELESS[kind]
    park(channel, **given)
    [done] = parked.replay(everything)
    assert done.verdict == "refused"
    assert done.why.startswith(why)
    [forced] = parked.replay(everything, force=True)
    assert forced.verdict == ("refused" if kind == "another's queue" else "replayed")


def test_what_a_new_version_understands_is_no_longer_hopeless(parked: ParkedQueue, channel: Channel) -> None:
    properties = Properties(str(uuid4()), "OrderPlaced")
    delivery = Delivery(QUEUE, 1, "", QUEUE, order_placed(), properties)
    Retries("product", channel).park(delivery, "not a readable OrderPlaced, says an older version", "unreadable")
    assert [each.verdict for each in parked.replay(everything)] == ["replayed"]


def test_what_lied_about_its_order_in_a_saga_key_stays_hopeless(parked: ParkedQueue, channel: Channel) -> None:
    key = f"saga.{uuid4()}.command.product.reserve_stock"
    delivery = Delivery("product.saga", 1, "orderflow.saga", key, order_placed(), Properties("m", "OrderPlaced"))
    Retries("product", channel).park(delivery, "another order", "unreadable")
    [done] = parked.replay(everything)
    assert (done.verdict, "names another order" in done.why) == ("refused", True)


def test_a_dry_run_changes_nothing(parked: ParkedQueue, channel: Channel) -> None:
    ids = park(channel, 3)
    assert [each.verdict for each in parked.replay(everything, dry_run=True)] == ["would be replayed"] * 3
    assert [each.verdict for each in parked.drop(everything, dry_run=True)] == ["would be dropped"] * 3
    assert (there(channel, QUEUE), there(channel, "product.parked")) == ([], ids)


def test_what_is_dropped_is_gone_and_the_rest_is_not(parked: ParkedQueue, channel: Channel) -> None:
    ids = park(channel, 3)
    [done] = parked.drop(lambda letter: letter.message_id == ids[1])
    assert (done.verdict, done.letter.message_id) == ("dropped", ids[1])
    assert there(channel, "product.parked") == [ids[0], ids[2]]


def test_copies_of_one_message_have_one_name(parked: ParkedQueue, channel: Channel) -> None:
    body, message_id = order_placed(), str(uuid4())
    park(channel, 2, body=body, message_id=message_id)
    park(channel, 1, body=body)
    names = [letter.id for letter in parked.look()[1]]
    assert (names[0] == names[1], len(set(names))) == (True, 2)
    assert len(parked.replay(lambda letter: letter.id == names[0])) == 2


def test_two_never_look_at_once(
    broker: Broker, parked: ParkedQueue, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = park(channel, 5)
    inside, go_on = threading.Event(), threading.Event()

    def slowly(_: Parked) -> bool:
        inside.set()
        assert go_on.wait(60)
        return False

    first = threading.Thread(target=parked.replay, args=(slowly,))
    first.start()
    assert inside.wait(60)
    with monkeypatch.context() as patience:
        patience.setattr(parked_module, "PATIENCE_SECONDS", 0.1)
        with pytest.raises(Conflict, match="Somebody else is looking"):
            parked.look()
    go_on.set()
    assert [letter.message_id for letter in parked.look()[1]] == ids
    first.join()


class Dying:
    """A transport whose channels die at the n-th publish or acknowledgement, before or after it was done."""

    def __init__(self, transport: Transport, step: str, at: int, *, after: bool) -> None:
        self.transport, self.step, self.left, self.after = transport, step, at, after

    def connect(self, name: str) -> Any:
        connection = self.transport.connect(name)
        dying = self

        class Connection:
            def channel(self) -> Any:
                channel = connection.channel()
                real = getattr(channel, dying.step)

                def dies(*arguments: Any, **more: Any) -> Any:
                    dying.left -= 1
                    if dying.left:
                        return real(*arguments, **more)
                    if dying.after:
                        real(*arguments, **more)
                    raise ConnectionLost("the process dies here")

                return _Patched(channel, dying.step, dies)

            def close(self) -> None:
                connection.close()

        return Connection()


class _Patched:
    """A channel with one call replaced."""

    def __init__(self, channel: Channel, name: str, call: Any) -> None:
        self._channel, self._name, self._call = channel, name, call

    def __getattr__(self, name: str) -> Any:
        return self._call if name == self._name else getattr(self._channel, name)


@pytest.mark.parametrize("step", ["get", "publish", "ack", "nack"])
@pytest.mark.parametrize("after", [False, True])
def test_a_death_at_any_point_loses_nothing(broker: Broker, channel: Channel, step: str, after: bool) -> None:
    ids = park(channel, 6)
    dying = Dying(broker.transport, step, 1 if step == "nack" else 2, after=after)
    with pytest.raises(BrokerUnavailable):
        ParkedQueue("product", dying, wirings_of("product")).replay(lambda letter: letter.message_id in ids[::2])
    parked = ParkedQueue("product", broker.transport, wirings_of("product"))
    left = [letter.message_id for letter in parked.look()[1]]
    back = there(channel, QUEUE)
    assert set(left) | set(back) == set(ids)
    assert set(ids[1::2]) <= set(left)


def test_a_broker_that_refuses_keeps_it_parked(
    parked: ParkedQueue, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = park(channel, 2)

    def nowhere(letter: Parked, delivery: Delivery) -> Outgoing:
        return Outgoing("", "no.such.queue", delivery.body, delivery.properties)

    monkeypatch.setattr(parked_module, "_again", nowhere)
    done = parked.replay(everything)
    assert {each.verdict for each in done} == {"not confirmed"}
    assert Receipt.RETURNED.value in done[0].why
    assert there(channel, "product.parked") == ids
