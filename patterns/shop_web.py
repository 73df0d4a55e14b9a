"""What several of the shop's services take over HTTP: an order's id, a key, and by what their lists are filtered."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Query

from patterns.shop_examples import KEY, ORDER_ID
from patterns.sql import MAX_ID

OrderId = Annotated[UUID, Path(examples=[ORDER_ID])]
"""An order's id in a path."""

Key = Annotated[str | None, Header(
    alias="Idempotency-Key", min_length=1, max_length=255, pattern=r"^[!-~]([ -~]*[!-~])?$", examples=[KEY],
    description="Asked again with the same key, such as a UUID, it is done once.  Printable ASCII.",
)]
"""A client's name for one request, under which it may be repeated."""

OfUser = Annotated[int | None, Query(ge=1, le=MAX_ID, description="only those of this customer")]
OfOrder = Annotated[UUID | None, Query(description="only those of this order")]
"""Filters of lists."""
