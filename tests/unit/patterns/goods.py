"""Two small tables and what is asked of them, for the quick way to either database."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Integer,
    MetaData,
    String,
    Table,
    Uuid,
    bindparam,
    insert,
    select,
    update,
)

from patterns.database import Database

metadata = MetaData()
shelf = Table("shelf", metadata, Column("id", Integer, primary_key=True), Column("count", Integer, nullable=False))
things = Table(
    "things", metadata,
    Column("id", Uuid, primary_key=True), Column("name", String(20)), Column("more", JSON), Column("cents", BigInteger),
    Column("at", Double), Column("day", DateTime), Column("new", Boolean), Column("level", Integer, default=lambda: 7),
)

PUT = insert(shelf)
TAKE = update(shelf).where(shelf.c.id == bindparam("which")).values(count=shelf.c.count - 1).returning(shelf.c.count)
COUNT = select(shelf.c.count).where(shelf.c.id == bindparam("which"))


def stocked(database: Database) -> Database:
    """The database, with these tables and three pieces on the first shelf."""
    database.create_tables(metadata)
    database.transact(lambda session: session.execute(PUT, {"id": 1, "count": 3}))
    return database


def counted(database: Database, which: int = 1) -> int | None:
    """How many pieces are on a shelf; None where there is no such shelf."""
    found: int | None = database.read(lambda session: session.execute(COUNT, {"which": which}).scalar_one_or_none())
    return found
