"""Loyalty points: a service of one's own.  A purchase is told once, and its points are given once, whatever dies."""

from typing import Annotated

from fastapi import Path
from pydantic import Field
from sqlalchemy import BigInteger, Column, MetaData, Table, Uuid, select, update

from patterns import Database, Message, Router, Service, Session, Topic, Wiring, create_app, insert_once
from patterns.serve import serve

metadata = MetaData()
purchases = Table("purchases", metadata, Column("order_id", Uuid, primary_key=True), Column("cents", BigInteger))
accounts = Table("accounts", metadata, Column("customer", BigInteger, primary_key=True), Column("points", BigInteger))


class Bought(Message):
    """A customer has bought something; every message names its order_id."""

    customer: int = Field(gt=0, lt=2**63)
    cents: int = Field(gt=0, lt=10**12)


def buy(session: Session, bought: Bought) -> Bought:
    """Note the purchase and tell of it: one transaction, so that both are done or neither."""
    insert_once(session, purchases, order_id=bought.order_id, cents=bought.cents)
    return bought


def earn(session: Session, bought: Bought) -> None:
    """Give one point for each full euro.  A message that is delivered twice never gets here twice."""
    insert_once(session, accounts, customer=bought.customer, points=0)
    account = update(accounts).where(accounts.c.customer == bought.customer)
    session.execute(account.values(points=accounts.c.points + bought.cents // 100))


WIRING = {"topic": Wiring(says=((Bought, Topic("loyalty.bought")),), hears=((Topic("loyalty.*"), earn),))}
database = Database("loyalty")
service = Service("loyalty", database, metadata, WIRING, acts=(buy,))
router = Router()


@router.post("/purchases", status_code=202)
def post_purchase(bought: Bought) -> None:
    """Take a purchase.  Asking again with the same order_id changes nothing."""
    service.perform(bought)


@router.get("/customers/{customer}/points")
def get_points(customer: Annotated[int, Path(gt=0, lt=2**63)]) -> int:
    """How many points a customer has."""
    points = select(accounts.c.points).where(accounts.c.customer == customer)
    return database.read(lambda session: session.execute(points).scalar()) or 0


if __name__ == "__main__":
    serve("loyalty", create_app(service, "Points for purchases.", router))
