"""Any message of the shop's language, for property-based tests."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from patterns.message import TYPES, Message
from patterns.place_order import PlaceOrder
from patterns.settings import MODES
from patterns.shop import (
    MAX_ID,
    MAX_LINES,
    MAX_PRICE_CENTS,
    MAX_QUANTITY,
    CancelOrder,
    Line,
    OrderPlaced,
    OrderStatus,
    Priced,
    PricedLine,
    Refusal,
)

LANGUAGE = {name: kind for name, kind in TYPES.items() if kind.__module__.startswith("patterns.")}
"""The types that travel; :class:`Priced` and :class:`Refusal` only say what some of them have in common."""

for _name in ("Priced", "Refusal"):
    LANGUAGE.pop(_name)

ids = st.integers(1, MAX_ID)
lines = st.builds(Line, product_id=ids, quantity=st.integers(1, MAX_QUANTITY))
priced_lines = st.builds(
    PricedLine, product_id=ids, quantity=st.integers(1, MAX_QUANTITY), price_cents=st.integers(0, MAX_PRICE_CENTS))
reasons = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=500)
orders = st.uuids(version=4)
modes = st.sampled_from(MODES)


def any_message(kind: type[Message]) -> SearchStrategy[Message]:
    """Any message of this type that may stand on the wire."""
    fields = {"order_id": orders}
    if issubclass(kind, Priced):
        return st.builds(_priced, st.just(kind), orders, ids, st.lists(priced_lines, min_size=1, max_size=MAX_LINES))
    if kind in (OrderPlaced, PlaceOrder):
        fields |= {"lines": st.lists(lines, min_size=1, max_size=MAX_LINES).map(tuple)}
        fields |= {"amount_cents": st.none() | st.integers(0, 10**18)}
    if issubclass(kind, Refusal | CancelOrder):
        fields["reason"] = reasons
    if kind is OrderStatus:
        fields |= {"status": st.sampled_from(["PROCESSING", "SUCCESS", "FAILED"]), "reason": st.none() | reasons}
    if "user_id" in kind.model_fields:
        fields["user_id"] = ids
    if "mode" in kind.model_fields:
        fields["mode"] = modes if kind is PlaceOrder else st.none()
    return st.builds(kind, **fields)


def _priced(kind: type[Priced], order_id: object, user: int, wanted: list[PricedLine]) -> Priced:
    amount = sum(line.price_cents * line.quantity for line in wanted)
    return kind.model_validate({"order_id": order_id, "user_id": user, "lines": wanted, "amount_cents": amount})
