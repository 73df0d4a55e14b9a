"""What Hypothesis may choose: what customers do, what breaks where, who goes first.

Everything shrinks to something dull: one order of one piece in mode ``rpc``, nothing broken, nobody interrupted.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from lab.simulation.case import Case
from lab.simulation.faults import AT, KINDS
from lab.simulation.workload import Chore, Wish, Workload
from patterns.settings import MODES
from patterns.shop import SERVICES


@dataclass(frozen=True)
class Breakage:
    """A fault for whoever comes next to a kind of place in a service, after so many others: sure to meet somebody."""

    whose: str
    place: str
    kind: str
    after: int = 0


USERS = PRODUCTS = st.integers(1, 2)
MOMENTS = st.sampled_from((0.0, 0.02, 0.5, 1.0, 4.0))
PLACES = st.integers(1, 1_500)
"""A run of a few orders has so many places, some two hundred of them before the first order."""

wishes = st.builds(
    Wish, user=USERS, items=st.lists(st.tuples(PRODUCTS, st.integers(1, 3)), min_size=1, max_size=2).map(tuple),
    mode=st.sampled_from(MODES), at=MOMENTS, cancel_after=st.none() | MOMENTS, asks=st.integers(1, 3),
)
chores = st.builds(
    Chore, kind=st.sampled_from(("deposit", "restock", "price")), whose=USERS, amount=st.sampled_from((1, 3, 250, 900)),
    at=MOMENTS,
)
workloads = st.builds(
    Workload, money=st.sampled_from(((10_000, 1_000), (1_300, 0), (100_000, 100_000))),
    goods=st.sampled_from((((1_000, 5), (300, 1)), ((900, 2), (900, 2)))),
    wishes=st.lists(wishes, min_size=1, max_size=5).map(tuple), chores=st.lists(chores, max_size=3).map(tuple),
)
plans = st.dictionaries(PLACES, st.sampled_from(KINDS), max_size=8)
cases = st.builds(
    Case, workloads, st.integers(0, 9_999), plans, instances=st.integers(1, 2), switching=st.sampled_from((0.0, 0.2, 0.6)),
)

WHERE_IT_HURTS = [
    (whose, place, kind) for whose in SERVICES for place in ("commit", "committed", "publish", "published", "ack", "gateway")
    for kind in ("crash", "crash", "crash", "connection lost", "terminate", "stop", *AT[place])
    if place != "gateway" or whose == "payment"
]
"""Between a commit and what must follow it."""
breakages = st.builds(lambda at, after: Breakage(*at, after), st.sampled_from(WHERE_IT_HURTS), st.integers(0, 2))
