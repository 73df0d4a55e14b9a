"""What the README shows is what there is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from typer.testing import CliRunner

from lab import cli, endpoints
from tests.house.sources import ROOT, SERVICES

PAGE = ROOT / "README.md"
README = PAGE.read_text(encoding="utf-8")


def test_the_example_of_a_service_of_ones_own_is_the_file_that_is_tested() -> None:
    shown = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    assert (ROOT / "examples" / "loyalty.py").read_text(encoding="utf-8") in shown, "copy examples/loyalty.py anew"


def test_its_endpoints_are_those_of_the_services() -> None:
    assert endpoints.fresh(PAGE) == README, f"refresh with: {endpoints.REFRESH}"


def test_a_table_that_lacks_an_endpoint_is_stale(tmp_path: Path) -> None:
    lines = README.splitlines(keepends=True)
    page = tmp_path / "README.md"
    page.write_text("".join(line for line in lines if "`POST /orders`" not in line), encoding="utf-8")
    assert endpoints.fresh(page) == README


def test_the_endpoints_can_be_read_by_programs() -> None:
    found = json.loads(CliRunner().invoke(cli.app, ["endpoints", "--json"]).output)
    assert {one["service"] for one in found} == {*SERVICES, endpoints.EVERY}
    assert {"service": "order", "method": "POST", "path": "/orders"}.items() <= next(
        one for one in found if one["path"] == "/orders" and one["method"] == "POST"
    ).items()
    assert [one["path"] for one in found if one["service"] == endpoints.EVERY] == [
        "/healthz", "/readyz", "/messages", "/parked", "/parked/messages/{id}", "/parked/replay", "/parked/drop"]
