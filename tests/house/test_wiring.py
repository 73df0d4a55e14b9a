"""Every mode's wiring is closed, unambiguous and as the flow says; and the checks that say so have teeth."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lab.shop import wirings_in
from order.mqlistener import fail
from patterns import checks
from patterns.address import Answer, Direct, Fanout, Queue, Rpc, Saga, Topic
from patterns.database import Session
from patterns.hops import hops
from patterns.settings import MODES
from patterns.shop import OrderConfirmed, OrderPlaced, StockRejected, StockReserved
from patterns.wiring import Wiring
from product.mqlistener import release_stock, reserve_stock, sell_stock
from tests.house.flow_table import FLOW
from user.mqlistener import spend_funds

Wirings = dict[str, Wiring]


def reserve_stock_again(session: Session, order: OrderPlaced) -> StockReserved:
    raise NotImplementedError  # a wiring is only looked at here


def cleanup(session: Session, order: StockRejected) -> None:
    raise NotImplementedError


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("check", checks.ONE_MODE, ids=lambda check: check.__name__)
def test_a_mode_is_well_wired(mode: str, check: checks.Check) -> None:
    assert check(wirings_in(mode)) == []


@pytest.mark.parametrize("mode", MODES)
def test_messages_go_to_exactly_whom_the_flow_says(mode: str) -> None:
    assert checks.differences(wirings_in(mode), FLOW[mode]) == []


def test_modes_keep_to_themselves() -> None:
    assert checks.overlaps({mode: wirings_in(mode) for mode in MODES}) == []


# -- the checks have teeth: whatever one line is taken away, somebody complains


def without_each_line(wirings: Wirings) -> Iterator[tuple[str, Wirings]]:
    """The mode as it is, but for one line; once for every line."""
    for service, wiring in wirings.items():
        for number, line in enumerate(wiring.hears):
            left = replace(wiring, hears=wiring.hears[:number] + wiring.hears[number + 1:])
            yield f"{service} hears {line[0]} -> {line[1].__name__}", {**wirings, service: left}
        for number, (message, address) in enumerate(wiring.says):
            left = replace(wiring, says=wiring.says[:number] + wiring.says[number + 1:])
            yield f"{service} says {message.__name__} -> {address}", {**wirings, service: left}


SEEN_ONLY_IN_THE_TABLE = {
    # A closed front door, or one hearer fewer of a word that others hear, is no contradiction: it is another flow.
    "rpc": {
        "order hears rpc order_create -> place_order_and_tell", "order hears rpc order_status_update -> cancel_and_tell",
    },
    "default": {"order hears queue order.create -> place_order", "order hears queue order.update -> cancel"},
    "fanout": {"product hears fanout EX_ORDER -> sell_stock", "user hears fanout EX_ORDER -> spend_funds"},
    "direct": {"product hears direct order.confirmed -> sell_stock", "user hears direct order.confirmed -> spend_funds"},
    "topic": {"product hears topic order.confirmed -> sell_stock", "user hears topic order.confirmed -> spend_funds"},
    "saga": set(),
}


@pytest.mark.parametrize("mode", MODES)
def test_no_line_can_be_missed(mode: str) -> None:
    harmless = [what for what, left in without_each_line(wirings_in(mode)) if not checks.differences(left, FLOW[mode])]
    assert harmless == []


@pytest.mark.parametrize("mode", MODES)
def test_contradictions_are_seen_without_the_table(mode: str) -> None:
    unnoticed = {what for what, left in without_each_line(wirings_in(mode)) if not checks.check(left)}
    assert unnoticed == SEEN_ONLY_IN_THE_TABLE[mode]


# -- each check sees what it is for


def changed(mode: str, service: str, *, hears: tuple[object, ...] = (), says: tuple[object, ...] = ()) -> Wirings:
    """A mode with these lines added to one service."""
    wirings = wirings_in(mode)
    was = wirings[service]
    return {**wirings, service: replace(was, hears=(*was.hears, *hears), says=(*was.says, *says))}


def without(mode: str, service: str, *words: str) -> Wirings:
    """A mode in which one service no longer hears with these handlers."""
    wirings = wirings_in(mode)
    left = tuple(line for line in wirings[service].hears if line[1].__name__ not in words)
    return {**wirings, service: replace(wirings[service], hears=left)}


def test_a_word_said_to_nobody_is_seen() -> None:
    wirings = changed("topic", "product", says=((StockReserved, Topic("stock.put.aside")),))
    assert checks.unheard(wirings) == ["product says StockReserved to topic stock.put.aside, and nobody hears it"]


def test_an_answer_that_its_asker_does_not_hear_is_seen() -> None:
    complaints = checks.unheard(without("rpc", "order", "close"))
    assert complaints == ["product answers StockReleased to order, which does not hear it"]


def test_an_ear_at_a_silent_place_is_seen() -> None:
    wirings = changed("direct", "product", hears=((Direct("order.sold"), sell_stock),))
    assert checks.unsaid(wirings) == ["product hears sell_stock at direct order.sold, and nobody says it there"]


def test_an_outcome_without_an_address_is_seen_unless_it_is_an_answer() -> None:
    wirings = {**wirings_in("saga"), "product": replace(wirings_in("saga")["product"], says=())}
    assert "product.release_stock answers StockReleased, which has no address" in checks.homeless(wirings)
    assert wirings_in("rpc")["product"].says == () and checks.homeless(wirings_in("rpc")) == []


def test_a_question_that_need_not_be_answered_is_seen() -> None:
    wirings = changed("rpc", "product", hears=((Rpc("product_stock_sell_now"), sell_stock),))
    assert checks.silent(wirings) == ["product.sell_stock is asked at rpc product_stock_sell_now, and need not answer"]


def test_an_address_for_what_is_never_said_is_seen() -> None:
    wirings = changed("topic", "user", says=((OrderConfirmed, Topic("order.confirmed")),))
    assert "user has an address for OrderConfirmed (topic order.confirmed), which it never says" in checks.idle(wirings)


def test_a_refusal_that_never_ends_the_order_is_seen() -> None:
    was = wirings_in("direct")
    deaf = tuple(line for line in was["order"].hears if line[0] != Direct("funds.rejected"))
    (complaint,) = checks.open_ends({**was, "order": replace(was["order"], hears=deaf)})
    assert complaint.startswith("order: OrderPlaced > product: StockReserved > user: FundsRejected")
    assert complaint.endswith("there it stops, without OrderConfirmed or OrderFailed")


def test_two_handlers_for_one_word_are_seen() -> None:
    wirings = changed("topic", "product", hears=((Topic("order.#"), reserve_stock_again),))
    assert "product handles OrderPlaced from queue product.topic in 2 ways" in checks.collisions(wirings)


def test_a_preparation_forgotten_on_one_line_is_seen() -> None:
    was = wirings_in("fanout")["payment"]
    handler = was.lines[0].handler
    wirings = changed("fanout", "payment", hears=((Fanout("EX_USER"), handler),))
    assert "payment handles FundsHeld from queue payment.fanout in 2 ways" in checks.collisions(wirings)


def test_a_queue_with_two_readers_is_seen() -> None:
    wirings = changed("default", "user", hears=((Queue("product.sell"), spend_funds),))
    complaints = checks.collisions(wirings)
    assert complaints == ["queue product.sell is read by product, user, who would take each other's messages"]


def test_one_id_for_the_words_of_two_is_seen() -> None:
    wirings = changed("topic", "user", says=((StockReserved, Topic("stock.reserved")),))
    assert any("said by product, user" in complaint for complaint in checks.collisions(wirings))


def test_hearing_through_the_binding_of_another_line_is_seen() -> None:
    was = wirings_in("fanout")
    deaf = tuple(line for line in was["order"].hears if line != (Fanout("EX_PRODUCT"), fail))
    (complaint,) = checks.accidents({**was, "order": replace(was["order"], hears=deaf)})
    assert complaint.startswith("product says StockRejected to fanout EX_PRODUCT: it reaches order.fail by accident")


def test_a_handler_outside_every_story_is_seen() -> None:
    wirings = changed("saga", "product", hears=((Saga("saga.*.command.product.cleanup"), cleanup),))
    assert checks.unreached(wirings) == ["no story reaches product.cleanup"]


def test_a_line_that_stands_twice_is_seen() -> None:
    wirings = changed("default", "product", hears=((Queue("product.sell"), sell_stock),))
    assert checks.repeats(wirings) == ["product hears sell_stock at queue product.sell, twice"]


def test_the_table_looks_at_hearers_not_at_addresses() -> None:
    same_by_another_pattern = changed("topic", "product", hears=((Topic("funds.*"), release_stock),))
    assert checks.differences(same_by_another_pattern, FLOW["topic"]) == []
    overheard = changed("rpc", "order", says=((OrderPlaced, Queue("spy")),), hears=((Queue("spy"), reserve_stock),))
    complaints = checks.differences(overheard, FLOW["rpc"])
    assert complaints == ["not in the flow: order says OrderPlaced to order, who does reserve_stock"]


def test_a_leak_between_modes_is_seen() -> None:
    leaking = changed("saga", "order", says=((OrderPlaced, Topic("order.placed")),))
    complaints = checks.overlaps({"topic": wirings_in("topic"), "saga": leaking})
    assert "in mode saga, order's OrderPlaced to topic order.placed reaches product in mode topic" in complaints


def test_a_queue_of_two_modes_is_seen() -> None:
    shared = changed("rpc", "product", hears=((Queue("product.sell"), sell_stock),))
    complaints = checks.overlaps({"default": wirings_in("default"), "rpc": shared})
    assert "queue product.sell is read in mode default and in mode rpc" in complaints


def test_answers_of_two_services_never_meet() -> None:
    assert {hop.listener for hop in hops(wirings_in("rpc")) if isinstance(hop.address, Answer)} == {"order"}
