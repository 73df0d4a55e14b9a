"""The OpenAPI document: FastAPI's, and in it every error an operation can answer."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

from patterns.web_problems import PROBLEM_JSON, Problem, title_of

PREFIX = "/api/v1"

PROBLEM = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}

DESCRIPTIONS = {
    400: "The body is not JSON, or not of one meaning (repeated keys, NaN, half a surrogate pair, …).",
    404: "There is no such thing.",
    413: "The body is larger than 64 KiB.",
    415: "The body is not application/json.",
    422: "The request makes no sense; `errors` says where.",
    500: "Something went wrong here; it is logged under `instance`.",
    503: "Something we need is away; try again after Retry-After seconds.",
}

RETRY_AFTER = {"Retry-After": {"description": "In so many seconds.", "schema": {"type": "integer"}}}


class Documented(FastAPI):
    """An app whose OpenAPI document declares its problems.

    A route declares only what is its own, such as ``responses={409: {"description": "…"}}``; that the body is a problem,
    and what every operation can answer, is added here.
    """

    def openapi(self) -> dict[str, Any]:
        """The document; made once."""
        document = super().openapi()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        if "Problem" not in schemas:
            for replaced in ("HTTPValidationError", "ValidationError"):
                schemas.pop(replaced, None)
            own = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= own.pop("$defs") | {"Problem": own}
            for path, operations in document["paths"].items():
                for operation in operations.values():
                    _declare_problems(path, operation)
        return document


def _declare_problems(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    expected = [413, 500] + ([503] if path != "/healthz" else [])
    if "requestBody" in operation:
        expected += [400, 415]
    if "requestBody" in operation or "parameters" in operation:
        expected.append(422)
        if answers.get("422", {}).get("description") == "Validation Error":  # FastAPI's own, of another shape
            del answers["422"]
    if "{" in path:
        expected.append(404)
    for status in expected:
        answers.setdefault(str(status), {"description": DESCRIPTIONS[status]})
    for status, answer in answers.items():
        if int(status) >= 400 and "content" not in answer:
            answer.setdefault("description", title_of(int(status)))
            answer["content"] = PROBLEM
        if status == "503":
            answer.setdefault("headers", RETRY_AFTER)
    operation["responses"] = dict(sorted(answers.items()))
