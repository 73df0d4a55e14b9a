"""The user service's tables: customers and what of their money is held for which order."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Double, Integer, MetaData, String, Table, Uuid

from patterns.journal import keep_journal
from patterns.step import step_table

metadata = MetaData()

BIG = BigInteger().with_variant(Integer, "sqlite")

users = Table(
    "users", metadata,
    Column("id", BIG, primary_key=True, autoincrement=True),
    Column("name", String(200), nullable=False),
    Column("balance_cents", BigInteger, nullable=False),
    Column("held_cents", BigInteger, nullable=False),
    Column("spent_cents", BigInteger, nullable=False),
    Column("paid_in_cents", BigInteger, nullable=False),
    CheckConstraint("balance_cents >= 0 AND held_cents >= 0 AND spent_cents >= 0", name="money_is_never_negative"),
    CheckConstraint("balance_cents + held_cents + spent_cents = paid_in_cents", name="money_is_conserved"),
    sqlite_autoincrement=True,  # the id of a deleted customer is never given to another
)

deposits = Table(
    "deposits", metadata,
    Column("id", Uuid, primary_key=True),
    Column("user_id", BigInteger, nullable=False, index=True),
    Column("amount_cents", BigInteger, nullable=False),
    Column("paid_in_at", Double, nullable=False),
    CheckConstraint("amount_cents > 0", name="a_deposit_adds_money"),
)

holds = step_table(
    "holds", metadata, ("HELD", "REJECTED", "RELEASED", "SPENT"),
    Column("user_id", BigInteger, index=True),
    Column("amount_cents", BigInteger),
    CheckConstraint(
        "state IN ('VOID', 'REJECTED') OR (amount_cents IS NOT NULL AND amount_cents >= 0)",
        name="a_hold_knows_its_amount",
    ),
)

keep_journal(metadata)
