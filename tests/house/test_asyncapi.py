"""docs/asyncapi.yaml and docs/messages.md say what wirings and models say, in AsyncAPI's own words."""

from __future__ import annotations

import copy
import gzip
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import pytest
import yaml
from typer.testing import CliRunner

from lab import cli, messages
from lab.shop import wirings_in
from patterns.address import Answer, Queue
from patterns.amqp import Outgoing
from patterns.asyncapi_messages import HEADERS
from patterns.asyncapi_operations import operations
from patterns.envelope import Context, seal
from patterns.hops import CLIENT, hops
from patterns.message import TYPES, Message
from patterns.place_order import OrderRequest, PlaceOrder
from patterns.settings import MODES
from patterns.shop import SERVICES
from patterns.shop_examples import example
from tests.house.sources import ROOT

DOCS = ROOT / "docs"
DOCUMENT: dict[str, Any] = messages.described()
LANGUAGE = {name: kind for name, kind in TYPES.items() if kind.__module__ in ("patterns.shop", "patterns.place_order")}
SPOKEN = sorted(set(LANGUAGE) - {"Priced", "Refusal"})  # these two are only what others have in common


def official() -> jsonschema.Draft7Validator:
    schema = json.loads(gzip.decompress((Path(__file__).parent / "asyncapi" / "3.0.0.json.gz").read_bytes()))
    return jsonschema.Draft7Validator(schema)


def body_schema(kind: type[Message]) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{kind.body_model().__name__}", "components": DOCUMENT["components"]}


def references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    for each in part if isinstance(part, list) else []:
        yield from references(each)


def found(document: dict[str, Any], reference: str) -> Any:
    part: Any = document
    for name in reference.removeprefix("#/").split("/"):
        part = part[name]
    return part


def test_both_pages_are_fresh() -> None:
    stale = [path.name for path in messages.stale(DOCS)]
    assert not stale, f"{', '.join(stale)} no longer say what the wirings and models say; refresh with: {messages.REFRESH}"


def test_a_changed_model_or_wiring_makes_them_stale_and_refreshing_mends_them(tmp_path: Path) -> None:
    for name in ("asyncapi.yaml", "messages.md"):
        text = (DOCS / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(text.replace("stock.reserved", "stock.kept"), encoding="utf-8")
    assert {path.name for path in messages.refresh(tmp_path)} == {"asyncapi.yaml", "messages.md"}
    assert messages.stale(tmp_path) == []
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_the_document_is_what_asyncapi_says_a_document_is(service: str) -> None:
    assert [error.message for error in official().iter_errors(messages.described(service=service))] == []


@pytest.mark.parametrize("sin", [
    lambda document: document["operations"]["product.receive.topic.order.placed"].update(action="hear"),
    lambda document: document["channels"]["topic.order.placed"].update(adress="order.placed"),
    lambda document: document["channels"]["rpc.user_check"]["bindings"]["amqp"].update(exchange={"name": "x"}),
    lambda document: document["components"]["messages"]["OrderPlaced"].update(examples=[{"body": {}}]),
])
def test_what_it_is_not_is_noticed(sin: Callable[[dict[str, Any]], None]) -> None:
    document = copy.deepcopy(DOCUMENT)
    sin(document)
    assert not official().is_valid(document)


@pytest.mark.parametrize("service", ["", *SERVICES])
def test_every_reference_leads_somewhere(service: str) -> None:
    document = messages.described(service=service)
    assert all(found(document, reference) for reference in references(document))


def test_the_file_can_be_read_and_is_the_document() -> None:
    assert yaml.safe_load((DOCS / "asyncapi.yaml").read_text(encoding="utf-8")) == DOCUMENT


def test_the_whole_language_is_there() -> None:
    assert sorted(DOCUMENT["components"]["messages"]) == SPOKEN
    page = (DOCS / "messages.md").read_text(encoding="utf-8")
    assert [name for name in SPOKEN if f"\n## {name}\n" not in page] == []


@pytest.mark.parametrize("mode", MODES)
def test_every_hop_of_a_mode_is_an_operation_at_both_ends_and_nothing_else_is(mode: str) -> None:
    wirings = wirings_in(mode)
    every = [hop for hop in hops(wirings) if not isinstance(hop.address, Answer)]
    sent = {(hop.speaker, "send", str(hop.address), hop.message) for hop in every if hop.speaker != CLIENT}
    received = {(hop.listener, "receive", str(hop.address), hop.message) for hop in every}
    described = {(each.service, each.action, str(each.address), message)
                 for each in operations({mode: wirings}) for message in each.messages}
    assert described == sent | received


@pytest.mark.parametrize("name", SPOKEN)
def test_an_example_is_such_a_message_and_what_is_written_fits_its_schema(name: str) -> None:
    kind, body = LANGUAGE[name], json.dumps(example(LANGUAGE[name]))
    jsonschema.validate(json.loads(body), body_schema(kind), jsonschema.Draft7Validator)
    message = kind.received(body.encode(), message_id="one", mode="topic")
    if kind is not PlaceOrder:  # which only clients write
        jsonschema.validate(json.loads(message.model_dump_json()), body_schema(kind), jsonschema.Draft7Validator)


@pytest.mark.parametrize(("name", "wrong"), [
    ("OrderPlaced", {"user_id": 0}), ("OrderPlaced", {"lines": [{"product_id": 1}]}), ("StockRejected", {"reason": None}),
    ("PlaceOrder", {"colour": "red"}), ("OrderStatus", {"status": "LOST"}),
])
def test_a_schema_refuses_what_is_not_such_a_message(name: str, wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        body = {**example(LANGUAGE[name]), **wrong}
        jsonschema.validate(body, body_schema(LANGUAGE[name]), jsonschema.Draft7Validator)


def test_the_headers_are_those_that_are_sent() -> None:
    context = Context("topic", causation_id=str(uuid4()), traceparent=f"00-{'a' * 32}-{'b' * 16}-01", deadline=12.5)
    order = OrderRequest.model_validate({"user_id": 1, "product_id": 1})
    sent: Outgoing = seal(PlaceOrder.of(order, key="k", mode="rpc"), Queue("q"), context).outgoing("order")
    jsonschema.validate(sent.properties.headers, HEADERS, jsonschema.Draft7Validator)
    assert sent.properties.headers.keys() <= HEADERS["properties"].keys()
    assert UUID(sent.properties.headers["order_id"])


def test_the_command_prints_a_part_or_says_what_there_is() -> None:
    said = CliRunner().invoke(cli.app, ["asyncapi", "--service", "user", "--mode", "topic", "--json"])
    document = json.loads(said.output)
    assert {name.split(".")[0] for name in document["operations"]} == {"user"}
    assert {name.split(".")[0] for name in document["channels"]} == {"topic"}
    wrong = CliRunner().invoke(cli.app, ["asyncapi", "--service", "users"])
    assert "there are user, product" in str(wrong.exception)
