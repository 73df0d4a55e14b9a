"""Truthful answers: what clients were told, held against what is so when all is quiet."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from lab import clients
from lab.books import database_of
from lab.promises import Promise
from lab.torture.history import History
from lab.torture.load import Load
from lab.torture.wishes import Wish
from patterns.database import Session


@dataclass(frozen=True)
class Told:
    """What was wanted, what was told, and what is so: in the database, and asked for over HTTP."""

    wanted: dict[UUID, Wish]
    history: History
    stored: dict[UUID, Any]
    shown: dict[UUID, str]
    well_since: float | None = None
    """From when on nothing was broken, and every process was ready."""


def what_is_so(load: Load, well_since: float | None = None) -> Told:
    """Read every order of these customers, and ask the order service for each one that was accepted."""
    wanted, history, urls = load.wanted, load.history, load.urls
    stored = database_of("order").read(_orders_of, {wish.user_id for wish in wanted}, load.modes)
    with clients.client(timeout=30) as http, ThreadPoolExecutor(4) as asking:

        def shown(numbered: tuple[int, UUID]) -> tuple[UUID, str]:
            number, order_id = numbered
            answer = http.get(f"{urls[number % len(urls)]}/orders/{order_id}")
            return order_id, str(answer.json()["status"]) if answer.status_code == 200 else f"{answer.status_code}"

        return Told({wish.order_id: wish for wish in wanted}, history, stored,
                    dict(asking.map(shown, enumerate(sorted(history.accepted)))), well_since)


def _orders_of(session: Session, customers: set[int], modes: Sequence[str]) -> dict[UUID, Any]:
    from order.models import orders

    theirs = select(orders).where(orders.c.user_id.in_(customers), orders.c.mode.in_(modes))
    return {row.id: row for row in session.execute(theirs)}


def every_client_has_an_answer(told: Told) -> Iterator[str]:
    """Every order that was wanted was accepted before its client's patience was over."""
    for order_id, wish in told.wanted.items():
        if order_id not in told.history.accepted:
            yield f"{wish.key}: {_asked(told, 'place', order_id)}"


def every_cancelling_has_an_answer(told: Told) -> Iterator[str]:
    """Whoever cancelled an order was told what became of it before their patience was over."""
    for what, order_id in told.history.forsaken:
        if what == "cancel" and order_id in told.history.accepted:
            yield f"{told.wanted[order_id].key}: {_asked(told, what, order_id)}"


def _asked(told: Told, what: str, order_id: UUID) -> str:
    asked = [one for one in told.history.of(what) if one.order_id == order_id]
    if not asked:
        return "never asked"
    answers = Counter("no answer" if one.code is None else f"{one.code} {one.refusal}".strip() for one in asked)
    heard = ", ".join(f"{times} times {answer}" for answer, times in sorted(answers.items()))
    return f"{heard} in {asked[-1].ended - asked[0].began:.0f} s"


def who_is_well_answers(told: Told) -> Iterator[str]:
    """Once nothing is broken and every process is ready, every request is answered, and not with 5xx."""
    for one in told.history.requests:
        if told.well_since is not None and one.began > told.well_since and one.outcome == "unknown":
            late = one.began - told.well_since
            yield f"{one.what} {one.order_id}: {one.code or 'no answer'}, {late:.1f} s after all were ready"


def every_accepted_order_exists(told: Told) -> Iterator[str]:
    """Every order answered with 2xx exists, in the database and over HTTP."""
    for order_id in told.history.accepted:
        if order_id not in told.stored:
            yield f"{order_id}: accepted, and not in the database"
        elif told.shown[order_id] != told.stored[order_id].status:
            yield f"{order_id}: GET says {told.shown[order_id]}, the database {told.stored[order_id].status}"


def one_order_for_each_key(told: Told) -> Iterator[str]:
    """One order for each key, whatever was repeated: the one whose id was told each time."""
    for order_id in told.stored.keys() - told.wanted.keys():
        yield f"{order_id}: an order that nobody wanted"
    for one in told.history.of("place"):
        if one.outcome == "ok" and one.told_id != str(one.order_id):
            yield f"{told.wanted[one.order_id].key}: told {one.told_id}, and another time {one.order_id}"


def as_many_settled_as_accepted(told: Told) -> Iterator[str]:
    """As many orders are settled as were accepted."""
    settled = sum(row.status != "PROCESSING" for row in told.stored.values())
    unsure = told.wanted.keys() - told.history.accepted  # a client without an answer: there or not
    surely = settled - len(unsure & told.stored.keys())
    if surely != len(told.history.accepted):
        yield f"{len(told.history.accepted)} accepted, {surely} settled"


def an_ending_told_stays(told: Told) -> Iterator[str]:
    """A status SUCCESS or FAILED told to a client is still so."""
    for one in told.history.requests:
        so = told.stored[one.order_id].status if one.order_id in told.stored else "nothing"
        if one.status in ("SUCCESS", "FAILED") and one.status != so:
            yield f"{one.order_id}: told {one.status} ({one.what}), and it is {so}"
        if one.what == "cancel" and one.code == 409 and so != "SUCCESS":
            yield f"{one.order_id}: cancelling was refused as if it were a SUCCESS, and it is {so}"
        if one.what == "cancel" and one.outcome == "ok" and one.status != "FAILED":
            yield f"{one.order_id}: cancelled, and told {one.status}"


def nobody_saw_a_fault(told: Told) -> Iterator[str]:
    """No request is answered with an internal error (500): what is away is 503."""
    for one in told.history.requests:
        if one.code is not None and one.code >= 500 and one.code != 503:
            yield f"{one.what} {one.order_id}: {one.code}"


CHECKS = (
    every_client_has_an_answer, every_cancelling_has_an_answer, every_accepted_order_exists, one_order_for_each_key,
    as_many_settled_as_accepted, an_ending_told_stays, nobody_saw_a_fault, who_is_well_answers,
)


def check_truth(told: Told) -> list[Promise]:
    """Hold what was told against what is so."""
    return [Promise((check.__doc__ or check.__name__).strip(), list(check(told))) for check in CHECKS]
