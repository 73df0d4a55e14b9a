"""Every error is a problem (RFC 9457) that says what is wrong and what to do; and every one is documented."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from lab.local import LocalShop
from patterns.settings import settings
from patterns.shop import SERVICES

pytestmark = pytest.mark.whole(shop="real")

UNKNOWN = "00000000-0000-0000-0000-000000000000"
JSON = {"content-type": "application/json"}
LIMIT = 64 * 1024


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem an answer holds, checked for what each must have."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = dict(answer.json())
    assert told["status"] == status
    assert told["type"] and told["title"] and told["detail"]
    return told


@pytest.mark.parametrize("service", SERVICES)
def test_a_path_nobody_serves_is_a_problem(shop: LocalShop, service: str) -> None:
    for path in ("/nowhere", "/", "/api/v1", "/api/v1/healthz", "/api/v2/orders", "/healthz/"):
        assert "/docs" in problem(shop.http(service).get(path), 404)["detail"]


@pytest.mark.parametrize(("path", "known"), [
    ("/users", {"GET", "POST"}), ("/api/v1/users", {"GET", "POST"}), ("/healthz", {"GET"}),
])
def test_a_method_the_path_does_not_know_is_a_problem_that_names_those_it_knows(
    shop: LocalShop, path: str, known: set[str]
) -> None:
    answer = shop.http("user").request("TRACE", path)
    problem(answer, 405)
    assert set(answer.headers["allow"].split(", ")) == known


def test_every_fault_of_a_request_is_named_with_its_place(shop: LocalShop) -> None:
    body = {"user_id": 0, "items": [{"product_id": 1, "quantity": 1}, {"product_id": 1, "quantity": 0, "a/b~ c": 1}]}
    told = problem(shop.http("order").post("/orders", json=body), 422)
    assert [error["pointer"] for error in told["errors"]] == ["#/user_id", "#/items/1/quantity", "#/items/1/a~1b~0%20c"]
    assert told["errors"][1]["loc"] == ["body", "items", 1, "quantity"]
    assert "greater than or equal to 1" in told["errors"][1]["msg"]
    assert told["detail"].startswith("body.user_id: ")
    told = problem(shop.http("user").get("/users?limit=101"), 422)
    assert [(error["loc"], "pointer" in error) for error in told["errors"]] == [(["query", "limit"], False)]


def test_ten_thousand_faults_are_not_all_told(shop: LocalShop) -> None:
    body = {f"k{number}": 1 for number in range(5_000)}
    answer = shop.http("order").post("/orders", json=body)
    assert len(problem(answer, 422)["errors"]) == 20
    assert "more)" in answer.json()["detail"]


@pytest.mark.parametrize("size", [0, 1, 1_000, LIMIT * 10])
def test_a_body_up_to_the_limit_is_read_and_one_above_it_is_not(shop: LocalShop, size: int) -> None:
    fitting = b"{" + b" " * (LIMIT - 2) + b"}"
    assert problem(shop.http("user").post("/users", content=fitting, headers=JSON), 422)
    for content in (b" " * (LIMIT + 1 + size), iter([b" " * LIMIT, b" " * (1 + size)])):
        problem(shop.http("user").post("/users", content=content, headers=JSON), 413)


def test_a_body_that_never_ends_is_not_read_to_its_end(shop: LocalShop) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2**30:
            sent += 2**14
            yield b" " * 2**14

    answer = shop.http("order").post("/orders", content=endless(), headers=JSON)
    problem(answer, 413)
    assert answer.headers["connection"] == "close"
    assert sent < 2**28


def test_a_body_announced_too_large_is_refused_before_a_byte_of_it_is_sent(shop: LocalShop) -> None:
    head = f"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Length: {LIMIT + 1}\r\nExpect: 100-continue\r\n\r\n"
    with socket.create_connection((settings().orderflow_host, settings().port("order")), 30) as client:
        client.sendall(head.encode())
        assert client.recv(4096).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/x-www-form-urlencoded", "application/xml", "a" * 999])
def test_a_body_of_another_kind_is_not_read(shop: LocalShop, kind: str | None) -> None:
    headers = {} if kind is None else {"content-type": kind}
    answer = shop.http("order").post("/orders", content=b'{"user_id":1,"product_id":1,"quantity":1}', headers=headers)
    assert "application/json" in problem(answer, 415)["detail"]
    assert answer.headers["accept"] == "application/json"


def test_a_compressed_body_is_not_read(shop: LocalShop) -> None:
    answer = shop.http("order").post("/orders", content=b"{}", headers={**JSON, "content-encoding": "gzip"})
    assert "compressed" in problem(answer, 415)["detail"]


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_json_may_be_named_in_several_ways(shop: LocalShop, kind: str) -> None:
    assert shop.http("user").post("/users", content=b'{"name":"Ada"}', headers={"content-type": kind}).status_code == 201


def test_a_surprise_is_logged_and_tells_no_secrets(
    shop: LocalShop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("user.crud.get_user", broken)
    with caplog.at_level(logging.ERROR):
        answer = shop.http("user").get("/users/1")
    told = problem(answer, 500)
    assert answer.headers["connection"] == "close"
    assert "hunter2" not in str(told) and "Traceback" not in str(told)
    [line] = [record for record in caplog.records if record.name == "orderflow.user"]
    assert told["instance"] in line.getMessage() and told["instance"] in told["detail"]
    assert line.exc_info


def test_what_needs_a_part_that_is_away_says_when_to_come_again(shop: LocalShop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shop.service("user"), "trouble", "The database does not answer.")
    answer = shop.http("user").get("/users/1")
    assert "does not answer" in problem(answer, 503)["detail"]
    assert int(answer.headers["retry-after"]) >= 1
    assert shop.http("user").get("/healthz").status_code == 200


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_documents_its_problems(shop: LocalShop, service: str) -> None:
    document = shop.http(service).get("/openapi.json").json()
    assert "HTTPValidationError" not in document["components"]["schemas"]
    assert {server["url"] for server in document["servers"]} == {"/", "/api/v1"}
    for path, operations in document["paths"].items():
        for operation in operations.values():
            answers = operation["responses"]
            assert {"413", "500"} <= set(answers)
            assert ("404" in answers) >= ("{" in path)
            assert {"400", "415", "422"} <= set(answers) or "requestBody" not in operation
            for status, answer in answers.items():
                if int(status) >= 400 and path != "/readyz":
                    assert set(answer["content"]) == {"application/problem+json"}


def test_business_is_served_under_the_prefix_too_and_stays_there(shop: LocalShop) -> None:
    made = shop.http("user").post("/api/v1/users", json={"name": "Ada"})
    assert shop.http("user").get(f"/api/v1/users/{made.json()['id']}").json() == made.json()
    order = {"user_id": made.json()["id"], "product_id": 1, "quantity": 1}
    for prefix in ("", "/api/v1"):
        where = shop.http("order").post(f"{prefix}/orders", json=order).headers["location"]
        assert where.startswith(f"{prefix}/orders/")
        assert shop.http("order").get(where).status_code == 200
        assert problem(shop.http("order").get(f"{prefix}/orders/{UNKNOWN}"), 404)["detail"].startswith(f"order {UNKNOWN}")


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_shows_an_example_of_what_is_sent_and_what_comes_back(shop: LocalShop, service: str) -> None:
    document = shop.http(service).get("/openapi.json").json()

    def shown(content: dict[str, Any]) -> bool:
        schema = content["schema"]
        schema = schema["items"] if schema.get("type") == "array" else schema
        named = document["components"]["schemas"].get(str(schema.get("$ref")).rpartition("/")[2], {})
        return bool(content.get("examples") or named.get("examples"))

    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for part in (operation.get("requestBody", {}), *operation["responses"].values()):
                for kind, content in part.get("content", {}).items():
                    assert shown(content), f"{method} {path}: no example of {kind}"
