"""What Hypothesis may choose: what customers do, what breaks where, who goes first.

Everything shrinks to something dull: one order of one piece in mode ``rpc``, nothing broken, nobody interrupted.
"""

from __future__ import annotations

from hypothesis import strategies as st

from lab.simulation.case import Case
from lab.simulation.faults import KINDS
from lab.simulation.workload import Chore, Wish, Workload
from patterns.settings import MODES

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
