"""What `patterns` asks of a service that is not one of the shop's: little, and it says what."""

from __future__ import annotations

from typing import Union

import pytest
from sqlalchemy import MetaData

import patterns
from patterns import Database, Message, Queue, Rpc, Service, Session, Topic, Wiring, topology
from patterns.checks_service import too_long
from patterns.errors import WiringError
from patterns.message import TYPES
from patterns.settings import configure, port_setting, settings
from patterns.shop import CancelOrder
from patterns.wiring import accepts, at, to


@pytest.fixture(autouse=True)
def _unknown_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service made here is not one that later tests' shops declare queues for."""
    monkeypatch.setattr(topology, "_known", dict(topology._known))


class Said(Message):
    pass


class AnEventWhoseNameIsMuchTooLongForTheJournal(Message):
    pass


for own in (Said, AnEventWhoseNameIsMuchTooLongForTheJournal):
    del TYPES[own.__name__]  # other tests look at the shop's whole language


def hear(session: Session, said: Said) -> None:
    raise NotImplementedError  # a wiring is only looked at here


def hear_at_length(session: Session, said: AnEventWhoseNameIsMuchTooLongForTheJournal) -> None:
    raise NotImplementedError


def answer(session: Session, said: Said) -> Said | None:
    raise NotImplementedError


def take_anything(session, said) -> None:  # type: ignore[no-untyped-def]
    raise NotImplementedError


def take_nothing() -> None:
    raise NotImplementedError


def say_something(session: Session, said: Said):  # type: ignore[no-untyped-def]
    raise NotImplementedError


def wired(*modes: str) -> Service:
    wiring = Wiring(hears=((Topic("said"), hear),), says=((Said, Topic("said")),))
    return Service("own", Database("own"), MetaData(), dict.fromkeys(modes, wiring))


def test_every_public_name_is_there() -> None:
    assert all(hasattr(patterns, name) for name in patterns.__all__)


def test_a_service_of_ones_own_has_a_port_and_the_shops_keep_theirs() -> None:
    configure(service_port=9999, user_port=9000)
    assert (settings().port("own"), settings().port("user")) == (9999, 9000)
    assert (port_setting("own"), port_setting("user")) == ("SERVICE_PORT", "USER_PORT")


def test_it_begins_in_the_mode_that_is_set_or_in_its_own() -> None:
    configure(messaging_mode="rpc")
    assert [wired("topic").mode, wired("topic", "rpc").mode, wired("direct", "topic").mode] == ["topic", "rpc", "direct"]


def test_its_tables_get_a_journal_once() -> None:
    service = wired("topic")
    assert {"inbox", "outbox"} == service.metadata.tables.keys()
    Service("own", service.database, service.metadata, service.wirings)


@pytest.mark.parametrize(("service", "wiring", "name"), [
    ("a_service_with_a_long_name", Wiring(hears=((Queue("q"), hear),)), "a_service_with_a_long_name"),
    ("own", Wiring(hears=((Queue("q" * 101), hear),)), "q" * 101),
    ("own", Wiring(hears=((Queue("q"), hear_at_length),)), "AnEventWhoseNameIsMuchTooLongForTheJournal"),
    ("own", Wiring(says=((Said, Topic("k" * 256)),)), "k" * 256),
])
def test_a_name_the_journal_has_no_room_for_is_refused(service: str, wiring: Wiring, name: str) -> None:
    with pytest.raises(WiringError, match=f"'{name}' is too long: at most"):
        Service(service, Database(service), MetaData(), {"topic": wiring})


def test_a_name_that_just_fits_is_fine() -> None:
    assert too_long("s" * 20, {"topic": Wiring(hears=((Queue("q" * 100), hear),), says=((Said, Topic("k" * 114)),))}) == []


@pytest.mark.parametrize(("wiring", "why"), [
    (Wiring(hears=((Topic("said"), answer),)), "answer answers Said, which has no address in mode topic"),
    (Wiring(hears=((Topic("said"), take_anything),)), "take_anything: its second parameter must be annotated"),
    (Wiring(hears=((Topic("said"), take_nothing),)), "take_nothing: its second parameter must be annotated"),
    (Wiring(hears=((Topic("said"), say_something),)), "say_something: what it returns must be annotated"),
])
def test_a_wiring_that_cannot_work_is_refused_before_a_message_comes(wiring: Wiring, why: str) -> None:
    with pytest.raises(WiringError, match=why):
        Service("own", Database("own"), MetaData(), {"topic": wiring})


def test_an_act_that_could_not_say_its_word_is_refused() -> None:
    with pytest.raises(WiringError, match="answer says Said, which has no address in any mode"):
        Service("own", Database("own"), MetaData(), {"topic": Wiring(hears=((Topic("said"), hear),))}, acts=(answer,))


def test_several_may_hear_at_one_address_and_several_words_go_to_one() -> None:
    queue, both = Queue("q"), (Said, AnEventWhoseNameIsMuchTooLongForTheJournal)
    assert at(queue, hear, hear_at_length) == ((queue, hear), (queue, hear_at_length))
    assert to(queue, *both) == tuple((one, queue) for one in both)


def hear_either(session: Session, said: Union[Said, CancelOrder]) -> None:  # noqa: UP007 (as many still write it)
    raise NotImplementedError


def test_a_handler_may_take_either_of_two_however_that_is_written() -> None:
    assert accepts(hear_either) == {Said, CancelOrder}


def test_who_is_asked_by_rpc_may_answer_the_asker() -> None:
    Service("own", Database("own"), MetaData(), {"rpc": Wiring(hears=((Rpc("said"), answer),))})
