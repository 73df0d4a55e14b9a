"""A running shop as its clients see it: over HTTP, and nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from pydantic import TypeAdapter

from lab import clients
from lab.order_story.story import Answer, Story
from order.schemas import HistoryEntry, Order
from patterns.errors import OrderflowError
from patterns.settings import settings
from patterns.shop import SERVICES, order_id_for
from patterns.web import JournalEntry

ANSWER_SECONDS = 60.0
"""How long a client waits for the answer to its order: far longer than RPC_WAIT_SECONDS."""

_ENTRIES, _HISTORY = TypeAdapter(list[JournalEntry]), TypeAdapter(list[HistoryEntry])

T = TypeVar("T")


class ShopAway(OrderflowError):
    """No shop answers there."""


class NotPlaced(OrderflowError):
    """The shop did not take the order; the message says why."""


@dataclass(frozen=True)
class Wish:
    """An order as the client wants it; its key decides its id."""

    user_id: int
    items: tuple[tuple[int, int], ...]
    mode: str | None
    key: str

    @property
    def order_id(self) -> UUID:
        """The id this order gets."""
        return order_id_for(self.user_id, self.key)

    @property
    def body(self) -> dict[str, Any]:
        """What is posted."""
        items = [{"product_id": product, "quantity": quantity} for product, quantity in self.items]
        return {"user_id": self.user_id, "items": items} | ({"mode": self.mode} if self.mode else {})


class RunningShop:
    """The six services behind their ports; ``url`` says where order is if not where our settings say."""

    def __init__(self, url: str = "") -> None:
        config = settings()
        anywhere = config.orderflow_host in ("0.0.0.0", "::")  # noqa: S104 (not bound here, only compared)
        host = urlsplit(url).hostname or ("127.0.0.1" if anywhere else config.orderflow_host)
        host = f"[{host}]" if ":" in host else host
        self.urls = {service: f"http://{host}:{config.port(service)}" for service in SERVICES}
        if url:
            self.urls["order"] = url.rstrip("/")
        self._http = clients.client(timeout=ANSWER_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._http.close()

    def place(self, wish: Wish) -> Answer:
        """Place an order and wait for the answer.  Raises ShopAway, or NotPlaced with the reason."""
        began = time.monotonic()
        try:
            headers = {"Idempotency-Key": wish.key}
            answer = self._http.post(f"{self.urls['order']}/orders", json=wish.body, headers=headers)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise ShopAway(
                f"No shop answers at {self.urls['order']} ({error}).  Open one with `orderflow run` (or `make run`), "
                "or say with --url where its order service is."
            ) from None
        if answer.is_error:
            raise NotPlaced(f"The shop does not take this order ({answer.status_code}): {_detail(answer)}")
        return Answer(answer.status_code, str(answer.json()["status"]), time.monotonic() - began)

    def read(self, order_id: UUID, answer: Answer | None) -> Story:
        """Everything the services tell of an order now; ``answer`` is what its client knows already."""
        away: dict[str, str] = {}
        messages = [
            entry for service in SERVICES
            for entry in self._ask(service, f"/messages?order_id={order_id}", _ENTRIES.validate_python, away) or ()
        ]
        history = self._ask("order", f"/orders/{order_id}/history", _HISTORY.validate_python, away) or []
        order = self._ask("order", f"/orders/{order_id}", Order.model_validate, away)
        messages.sort(key=lambda entry: entry.at)
        return Story(order_id, answer, order, history, messages, away)

    def _ask(self, service: str, path: str, read: Callable[[Any], T], away: dict[str, str]) -> T | None:
        """One answer, read; None for what is not there (yet), and for a service that is away, which is noted."""
        try:
            answer = self._http.get(self.urls[service] + path, timeout=5)
        except httpx.TransportError as error:
            away[service] = str(error) or type(error).__name__
            return None
        if answer.status_code >= 500:
            away[service] = f"{answer.status_code}: {_detail(answer)}"
        return read(answer.json()) if answer.is_success else None


def _detail(answer: httpx.Response) -> str:
    """What an error says: its ``detail``, or its text where somebody else answered."""
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.text[:200]
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, one.get('loc', ())))}: {one.get('msg')}" for one in detail)
    return str(detail)
