"""``orderflow parked`` on an embedded shop that is closed, and on one that belongs to another process."""

from __future__ import annotations

from pathlib import Path

from lab.local import LocalShop
from patterns.broker.journal import Journal
from patterns.settings import configure
from patterns.transport import use
from tests.flows.siege import Siege
from tests.flows.test_parked import orderflow, parked_garbage, told


def test_a_closed_shop(tmp_path: Path) -> None:
    with LocalShop(orderflow_home=tmp_path, rabbitmq_url="", database_url="") as shop:
        siege = Siege(shop, takes_what_is_parked=False)
        message_id = parked_garbage(siege)
        siege.close()
    assert [each["message_id"] for each in told("list")["messages"]] == [message_id]
    assert "does not answer" in orderflow("explain", message_id)
    assert told("replay", message_id, code=1)["messages"][0]["verdict"] == "refused"
    assert told("drop", message_id, "--yes")["messages"][0]["verdict"] == "dropped"
    assert told("list")["messages"] == []


def test_a_shop_in_another_process_that_does_not_answer(tmp_path: Path) -> None:
    configure(orderflow_home=tmp_path, **{f"{name}_port": 1 for name in ("user", "product", "order")})
    use(None)
    with Journal.locked(tmp_path / "broker"):
        away = told("list", code=1)["away"]
        assert "the embedded broker belongs to a running process" in away["product"]
