"""The delivery service's tables: which order's parcel is scheduled, refused or cancelled."""

from sqlalchemy import BigInteger, Column, MetaData

from patterns.journal import keep_journal
from patterns.step import step_table

metadata = MetaData()

deliveries = step_table(
    "deliveries", metadata, ("SCHEDULED", "FAILED", "CANCELLED"), Column("user_id", BigInteger, index=True)
)

keep_journal(metadata)
