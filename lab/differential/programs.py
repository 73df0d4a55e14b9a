"""Programs nobody thought of: Hypothesis makes them, and makes those that find something small.

https://hypothesis.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from lab.differential import operations as ops

PARTS = 6
"""A program is so many lists of operations: one list would be short, or could not be made shorter."""

clients = st.integers(0, ops.CLIENTS - 1)
queues = st.sampled_from((*range(ops.QUEUES), *range(ops.QUEUES), *range(ops.QUEUES), ops.QUEUES))
exchanges = st.sampled_from((*range(ops.EXCHANGES), *range(ops.EXCHANGES), *range(ops.EXCHANGES), ops.EXCHANGES))
seldom = st.sampled_from((False, False, False, False, True))
nth = st.integers(0, 5)

dead = st.sampled_from((None, *range(ops.QUEUES), *range(ops.QUEUES), *range(ops.QUEUES + ops.EXCHANGES + 1)))
dead_key = st.none() | st.integers(0, len(ops.KEYS) - 1)
classic = st.builds(
    ops.Shape, st.just(False), exclusive=seldom, auto_delete=seldom, durable=st.booleans(),
    ttl=st.sampled_from((None, None, None, 0, ops.LONG)), max_length=st.sampled_from((None, None, None, 0, 1, 2, 3)),
    rejects=st.booleans(), dead_to=dead, dead_key=dead_key,
)
quorum = st.builds(
    ops.Shape, st.just(True), ttl=st.sampled_from((None, None, ops.LONG)),
    delivery_limit=st.sampled_from((None, 0, 1, 2, 50)), dead_to=dead, dead_key=dead_key, safely=st.booleans(),
)
short_quorum = st.builds(ops.Shape, st.just(True), max_length=st.integers(1, 3), delivery_limit=st.sampled_from((None, 50)))
shapes = st.sampled_from([classic] * 6 + [quorum] * 3 + [short_quorum]).flatmap(lambda one: one)

said = st.builds(
    ops.Said, to=st.integers(0, ops.QUEUES - 1) | st.integers(0, ops.QUEUES + ops.EXCHANGES),
    key=st.integers(0, len(ops.KEYS) - 1), mandatory=st.booleans(), persistent=st.booleans(),
    headers=st.integers(0, len(ops.HEADERS) - 1), expiration=st.sampled_from((None,) * 8 + (0, ops.LONG)),
)
publish = st.builds(ops.Publish, clients, st.lists(said, min_size=1, max_size=3).map(tuple))
expiring = st.builds(ops.Publish, clients, st.lists(
    st.builds(ops.Said, to=queues, expiration=st.sampled_from((None, ops.SHORT, ops.SHORT)), mandatory=st.booleans()),
    min_size=1, max_size=3).map(tuple))
consume = st.builds(ops.Consume, clients, queues, st.integers(0, 3), auto_ack=seldom, exclusive=seldom)
settle = st.builds(
    ops.Settle, clients, nth, st.sampled_from(("ack", "nack", "nack", "reject")), st.booleans(), st.booleans()
)
wrong = st.builds(ops.Settle, clients, st.just(-1), st.sampled_from(("ack", "nack", "reject")), st.booleans())
all_there_are = st.builds(
    ops.Settle, clients, st.just(-2), st.sampled_from(("ack", "nack")), st.just(True), st.booleans()
)
bind = st.builds(
    ops.Bind, clients, queues, exchanges,
    st.integers(0, len(ops.PATTERNS) - 1), st.integers(0, len(ops.WANTED) - 1), seldom,
)
declare_exchange = st.builds(
    ops.DeclareExchange, clients, st.integers(0, ops.EXCHANGES - 1),
    st.sampled_from(("topic", "topic", "direct", "fanout", "headers")), seldom, st.none() | st.integers(0, ops.EXCHANGES),
)
one_or_two = st.lists(declare_exchange, min_size=1, max_size=2)

often: list[SearchStrategy[ops.Operation]] = [
    publish, publish, publish, publish, publish, settle, settle, settle, settle, settle, consume, consume, bind, bind,
    st.builds(ops.Get, clients, queues, st.booleans()), st.builds(ops.Get, clients, queues, st.just(False)),
    st.builds(ops.Get, clients, queues, st.just(False)), declare_exchange,
]
rarely: list[SearchStrategy[ops.Operation]] = [
    expiring, wrong, all_there_are, st.builds(ops.DeclareQueue, clients, st.integers(0, ops.QUEUES - 1), shapes, seldom),
    st.builds(ops.CheckQueue, clients, queues),
    st.builds(ops.DeleteQueue, clients, queues, seldom, seldom), st.builds(ops.DeleteExchange, clients, exchanges, seldom),
    st.builds(ops.Cancel, clients, nth), st.builds(ops.Purge, clients, queues), st.builds(ops.Close, clients, seldom),
    st.builds(ops.Ask, clients, queues), st.builds(ops.Ask, clients, queues),
    st.builds(ops.Reply, clients, nth, st.booleans()), st.builds(ops.Reply, clients, nth, st.booleans()),
]


def of(
    kinds: list[SearchStrategy[ops.Operation]], queues: SearchStrategy[ops.Shape], most: int = ops.QUEUES,
    exchanges: SearchStrategy[Sequence[ops.DeclareExchange]] = one_or_two,
) -> SearchStrategy[ops.Program]:
    """Programs of these operations, on queues of these shapes."""
    operations = st.sampled_from(kinds).flatmap(lambda one: one)  # one_of would take each kind once only
    return st.builds(
        ops.Program, st.lists(queues, min_size=1, max_size=most).map(tuple),
        exchanges.map(tuple),
        st.tuples(*[st.lists(operations, max_size=20)] * PARTS).map(lambda parts: tuple(chain(*parts))),
    )


anything = of([*often, *often, *rarely], shapes)

to_exchanges = st.builds(ops.Publish, clients, st.lists(st.builds(
    ops.Said, to=st.integers(ops.QUEUES, ops.QUEUES + ops.EXCHANGES - 1), key=st.integers(0, len(ops.KEYS) - 1),
    mandatory=st.booleans(), headers=st.integers(0, len(ops.HEADERS) - 1)), min_size=1, max_size=3).map(tuple))
plain = st.builds(ops.Shape)
kinds = st.sampled_from(("topic", "topic", "direct", "headers"))
with_alternate = st.tuples(st.builds(ops.DeclareExchange, clients, st.just(0), kinds, alternate=st.just(1)),
                           st.builds(ops.DeclareExchange, clients, st.just(1), kinds, alternate=st.none() | exchanges))
routing = of([bind, bind, to_exchanges, to_exchanges, to_exchanges, st.builds(ops.Get, clients, queues, st.just(True))],
             plain, 2, with_alternate)
"""Few queues, and exchanges that are bound: which keys match which patterns, once each, and where the others go."""

fleeting = st.builds(ops.Shape, exclusive=st.booleans(), auto_delete=st.booleans())
leaving = of([publish, consume, consume, st.builds(ops.Cancel, clients, nth), st.builds(ops.Close, clients, st.booleans()),
              st.builds(ops.CheckQueue, clients, queues), st.builds(ops.DeleteQueue, clients, queues),
              st.builds(ops.DeclareQueue, clients, st.integers(0, ops.QUEUES - 1), fleeting)], fleeting)
"""Queues that go with their connection or their last consumer, and those who are told."""

said_to_queues = st.builds(ops.Publish, clients, st.lists(
    st.builds(ops.Said, to=st.integers(0, 1)), min_size=1, max_size=3).map(tuple))
fetch = st.builds(ops.Get, clients, queues, st.just(False))
drop = st.builds(ops.Settle, clients, nth, st.sampled_from(("nack", "reject")), requeue=st.just(False))
short = st.builds(ops.Shape, ttl=st.sampled_from((None, 0)), max_length=st.integers(1, 3), rejects=seldom,
                  dead_to=st.integers(0, ops.QUEUES - 1))
dying = of([said_to_queues, fetch, fetch, fetch, drop, drop, drop, st.builds(ops.Get, clients, queues, st.just(True)),
            st.builds(ops.Purge, clients, queues)], short | st.builds(ops.Shape, dead_to=st.integers(0, ops.QUEUES - 1)), 2)
"""Queues that are too short, and letters that die again and again."""

given_back = st.builds(ops.Shape) | st.builds(ops.Shape, st.just(True), delivery_limit=st.sampled_from((None, 0, 1, 50)))
returning = of([said_to_queues, said_to_queues, consume, consume, settle, settle, settle, all_there_are, fetch,
                st.builds(ops.Close, clients, seldom)], given_back, 2)
"""What is held, by one or by many, and comes back."""

programs = st.sampled_from([anything] * 4 + [routing, leaving, dying, dying, returning]).flatmap(lambda one: one)
"""Of all sorts, and some of few sorts: what needs three things at once seldom comes where there are thirty."""
