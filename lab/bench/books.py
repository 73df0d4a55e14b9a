"""Whether balances and stock add up and every order is a success, asked in SQL: the tables may hold millions of orders."""

from __future__ import annotations

from typing import Any

from lab.bench.rows import connect

NEWS = 3
"""What a customer is told of a successful order: placed, paid, confirmed."""

_QUESTIONS: dict[str, str] = {
    "order": "SELECT count(*) FILTER (WHERE status = 'SUCCESS'), count(*) FILTER (WHERE status <> 'SUCCESS'),"
             " coalesce(sum(amount_cents), 0) FROM orders",
    "product": "SELECT (SELECT count(*) FROM reservations WHERE state = 'SOLD'),"
               " (SELECT count(*) FROM reservations WHERE state <> 'SOLD'),"
               " (SELECT coalesce(sum(quantity), 0) FROM reservation_lines), (SELECT sum(sold) FROM products),"
               " (SELECT sum(put_in - shelf - sold) FROM products)",
    "user": "SELECT (SELECT count(*) FROM holds WHERE state = 'SPENT'), (SELECT count(*) FROM holds WHERE state <> 'SPENT'),"
            " (SELECT coalesce(sum(amount_cents), 0) FROM holds), (SELECT sum(spent_cents) FROM users),"
            " (SELECT sum(paid_in_cents - balance_cents - spent_cents) FROM users)",
    "payment": "SELECT count(*) FILTER (WHERE state = 'TAKEN'), count(*) FILTER (WHERE state <> 'TAKEN'),"
               " coalesce(sum(amount_cents), 0) FROM payments",
    "delivery": "SELECT count(*) FILTER (WHERE state = 'SCHEDULED'), count(*) FILTER (WHERE state <> 'SCHEDULED')"
                " FROM deliveries",
    "notification": "SELECT count(*) FROM notifications",
}


def differences(database_url: str) -> list[str]:
    """What does not add up, in words; nothing when every order is a success and all is booked."""
    found: dict[str, tuple[int, ...]] = {}
    for service, question in _QUESTIONS.items():
        with connect(database_url, service) as database:
            row: Any = database.execute(question.encode()).fetchone()
            found[service] = tuple(int(value) for value in row)
    orders, cents = found["order"][0], found["order"][2]
    wanted: dict[str, tuple[int, ...]] = {
        "order": (orders, 0, cents), "product": (orders, 0, *found["product"][3:4] * 2, 0),
        "user": (orders, 0, cents, cents, 0), "payment": (orders, 0, cents), "delivery": (orders, 0),
        "notification": (NEWS * orders,),
    }
    return [f"the {service} database says {found[service]}, and should {wanted[service]}"
            for service in found if found[service] != wanted[service]]
