"""The README's first screen: open the shop, order as it says, see what it shows."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import clients
from lab.servers import Keeper, free_ports
from lab.torture.processes import ShopProcess
from patterns.shop import SERVICES
from tests.flows.words import until

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8").split("\n## ")[0]
[ORDER] = re.findall(r"^    (curl .*)$", README, re.MULTILINE)
[SHOWN] = re.findall(r"^    (\{.*\})$", README, re.MULTILINE)


@pytest.fixture(params=["rpc", "topic"])
def shop(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ShopProcess]:
    """``make run``, and ``MESSAGING_MODE=topic make run``, less the installing: a process of its own on free ports."""
    ports = dict(zip(SERVICES, free_ports(len(SERVICES)), strict=True))
    environment = {"ORDERFLOW_HOME": str(tmp_path / "home"), "RABBITMQ_URL": "", "DATABASE_URL": ""}
    environment |= {f"{service.upper()}_PORT": str(port) for service, port in ports.items()}
    if request.param != "rpc":
        environment["MESSAGING_MODE"] = request.param
    keeper = Keeper("first-screen")
    where = {service: f"http://127.0.0.1:{port}" for service, port in ports.items()}
    process = ShopProcess(keeper, "shop", ["run"], environment, where, tmp_path)
    try:
        process.start()
        process.wait_until_ready()
        yield process
    finally:
        keeper.close()


def test_an_order_by_the_line_it_shows_ends_as_it_shows(shop: ShopProcess) -> None:
    place = shop.services["order"]
    line = ORDER.replace("8002", place.rpartition(":")[2])
    until(lambda: line in " ".join(shop.log.read_text().split("\n")), "the shop itself shows the same line")
    asked = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True, timeout=60)
    order = json.loads(asked.stdout)
    mode = order["mode"]
    settled = until(lambda: (found := look(place, order["id"]))["status"] != "PROCESSING" and found, "it settles")
    shown = json.loads(SHOWN.replace(", …", "").replace('"…"', f'"{order["id"]}"').replace('"rpc"', f'"{mode}"'))
    assert shown.items() <= settled.items()
    if mode == "rpc":
        assert shown.items() <= order.items(), "in mode rpc the answer is the final state"
    other = clients.post(f"{place}/orders", json={"user_id": 1, "product_id": 1, "mode": "saga"}).json()
    assert other["mode"] == "saga"


def look(place: str, order_id: str) -> dict[str, object]:
    """The order as it stands."""
    return dict(clients.get(f"{place}/orders/{order_id}").json())
