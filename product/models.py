"""The product service's tables: products, and which goods are set aside for which order."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, MetaData, String, Table, Uuid

from patterns.journal import keep_journal
from patterns.pages import keep_sorted
from patterns.step import step_table

metadata = MetaData()

BIG = BigInteger().with_variant(Integer, "sqlite")

products = Table(
    "products", metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    Column("shelf", BigInteger, nullable=False),
    Column("reserved", BigInteger, nullable=False),
    Column("sold", BigInteger, nullable=False),
    Column("put_in", BigInteger, nullable=False),
    CheckConstraint("price_cents >= 0", name="a_price_is_never_negative"),
    CheckConstraint("shelf >= 0 AND reserved >= 0 AND sold >= 0", name="goods_are_never_negative"),
    CheckConstraint("shelf + reserved + sold = put_in", name="goods_are_conserved"),
    sqlite_autoincrement=True,  # the id of a deleted product is never given to another
)

reservations = step_table(
    "reservations", metadata, ("RESERVED", "REJECTED", "RELEASED", "SOLD"),
    Column("user_id", BigInteger),
    Column("amount_cents", BigInteger),
)
keep_sorted(reservations, "begun_at", "order_id", by=("state", "user_id"))

reservation_lines = Table(
    "reservation_lines", metadata,
    Column("order_id", Uuid, primary_key=True),
    Column("product_id", BigInteger, primary_key=True, index=True),
    Column("quantity", BigInteger, nullable=False),
    Column("price_cents", BigInteger, nullable=False),
    CheckConstraint("quantity > 0 AND price_cents >= 0", name="a_line_is_of_something"),
)

keep_journal(metadata)
