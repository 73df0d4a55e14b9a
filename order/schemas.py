"""What clients of the order service send (see :mod:`patterns.place_order`) and get."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict

from patterns.place_order import OrderRequest
from patterns.settings import Mode
from patterns.shop import Line, Status

__all__ = ["HistoryEntry", "Order", "OrderRequest"]


class Order(BaseModel):
    """An order as it stands: PROCESSING until it is SUCCESS or FAILED, and then that for ever."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    user_id: int
    mode: Mode
    status: Status
    reason: str | None
    saga_state: str
    amount_cents: int | None
    lines: list[Line]
    placed_at: float
    deadline_at: float
    settled_at: float | None
    undone_at: float | None


class HistoryEntry(BaseModel):
    """One thing that happened to an order."""

    model_config = ConfigDict(from_attributes=True)

    happened_at: float
    event: str
    saga_state: str
    reason: str | None
