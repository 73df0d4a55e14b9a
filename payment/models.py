"""The payment service's tables: what was captured, declined or refunded for which order."""

from sqlalchemy import BigInteger, CheckConstraint, Column, MetaData

from patterns.journal import keep_journal
from patterns.pages import keep_sorted
from patterns.step import step_table

metadata = MetaData()

payments = step_table(
    "payments", metadata, ("TAKEN", "FAILED", "REFUNDED"),
    Column("user_id", BigInteger),
    Column("amount_cents", BigInteger),
    CheckConstraint(
        "state IN ('VOID', 'FAILED') OR (amount_cents IS NOT NULL AND amount_cents >= 0)",
        name="a_payment_knows_its_amount",
    ),
)
keep_sorted(payments, "begun_at", "order_id", by=("state", "user_id"))

keep_journal(metadata)
