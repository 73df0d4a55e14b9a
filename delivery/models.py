"""The delivery service's tables: which order's parcel is scheduled, refused or cancelled."""

from sqlalchemy import BigInteger, Column, MetaData

from patterns.journal import keep_journal
from patterns.pages import keep_sorted
from patterns.step import step_table

metadata = MetaData()

deliveries = step_table("deliveries", metadata, ("SCHEDULED", "FAILED", "CANCELLED"), Column("user_id", BigInteger))
keep_sorted(deliveries, "begun_at", "order_id", by=("state", "user_id"))

keep_journal(metadata)
