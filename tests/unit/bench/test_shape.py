"""The bare program's shape is that of the wirings: nothing a successful order needs is missing."""

from __future__ import annotations

import pytest

from lab.bench.bare.steps import STEPS
from lab.bench.shape import shape
from lab.shop import wirings_in
from patterns.address import Answer
from patterns.flow_walk import forward
from patterns.hops import hops
from patterns.settings import MODES, settings


@pytest.mark.parametrize("mode", MODES)
def test_every_hop_of_a_successful_order_is_in_the_shape_and_has_a_step(mode: str) -> None:
    services = shape()["services"]
    for hop in forward(hops(wirings_in(mode))):
        handlers = [heard[hop.message.__name__] for heard in services[hop.listener][mode]["hears"].values()
                    if hop.message.__name__ in heard]
        assert handlers == [hop.handler.__name__]
        assert hop.handler.__name__ in STEPS
        if not isinstance(hop.address, Answer):
            places = services[hop.speaker][mode]["says"][hop.message.__name__]
            assert str(hop.address) in [place["address"] for place in places]


def test_a_key_that_names_the_order_keeps_a_place_for_it() -> None:
    [place] = shape()["services"]["product"]["saga"]["says"]["StockReserved"]
    assert place["key"] == "saga.{order_id}.event.product.reserve_stock.success"


def test_both_take_as_many_messages_into_a_transaction() -> None:
    assert shape()["batch_size"] == settings().batch_size
