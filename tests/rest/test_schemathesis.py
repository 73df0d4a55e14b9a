"""Schemathesis asks each service all that its OpenAPI document allows, and much that it forbids: no answer breaks a promise.

No 5xx; only documented statuses, bodies and headers; what the document allows is accepted, what it forbids refused; what is
deleted is gone; what is made is there.  In every run the same few requests for each operation.  More of them, other ones
each time: ``SCHEMATHESIS_EXAMPLES=500 make test ARGS="tests/rest/test_schemathesis.py"``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lab.local import LocalShop
from patterns.settings import settings
from patterns.shop import SERVICES
from patterns.shop_examples import KEY, ORDER_ID
from tests.flows.words import Words

HERE = Path(__file__).parent
EXAMPLES = os.environ.get("SCHEMATHESIS_EXAMPLES", "")
FEW = "4"
RPC_WAIT_SECONDS = 2


@pytest.fixture(scope="module")
def busy_shop(shop: LocalShop) -> LocalShop:
    """A shop that has orders, the documents' example among them, so that there is something to ask about."""
    words = Words(shop, "topic")
    ada, chair = words.customer(1_000_000), words.goods(4_999, 100)
    assert (ada, chair) == (1, 1)
    for key in (KEY, *(f"schemathesis-{number}" for number in range(1, 7))):
        words.settled(words.order(ada, {chair: 2}, key, mode="saga"))
    words.quiet()
    known = tomllib.loads((HERE / "schemathesis.toml").read_text())["dictionaries"]["orders"]["values"]
    assert all(words.look(order)["user_id"] == ada for order in (ORDER_ID, *known))
    return shop


def ask(service: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run Schemathesis against a service; its report goes to this folder."""
    amount = ["--max-examples", EXAMPLES] if EXAMPLES else ["--max-examples", FEW, "--seed", "1"]
    return subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"), "--config-file", HERE / "schemathesis.toml",
            "run", f"http://127.0.0.1:{settings().port(service)}/openapi.json", "--checks", "all", "--no-color", *amount,
        ],
        cwd=folder, capture_output=True, text=True, timeout=None if EXAMPLES else 280,
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "COLUMNS": "120"},
    )


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.timeout(0 if EXAMPLES else 300)
@pytest.mark.whole(shop="embedded")
@pytest.mark.whole(service=("payment", "delivery", "notification"))  # they only answer GET, in ways the others answer it
def test_every_answer_keeps_what_the_document_promises(busy_shop: LocalShop, service: str, tmp_path: Path) -> None:
    told = ask(service, tmp_path)
    print(told.stdout)  # shown by pytest -s
    assert told.returncode == 0, told.stdout + told.stderr


def test_the_shop_is_true_after_all_that(busy_shop: LocalShop) -> None:
    Words(busy_shop, "topic").quiet()
