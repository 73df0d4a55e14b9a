"""What an OpenAPI document cannot say of the services, said to Schemathesis."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import schemathesis
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.core.transport import Response

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """One key is for one request: the same with another body is rightly refused (422), so a valid one is made new."""
    key = case.headers.get(KEY) if case.headers else None
    if key and len(key) <= 200 and key.isascii() and key.isprintable() and key == key.strip():
        case.headers[KEY] = f"{key}.{uuid4()}"


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext, failure: Failure, case: schemathesis.Case, response: Response
) -> bool:
    """An amount that binary arithmetic makes miss whole cents by a hair is taken, which ``multipleOf`` cannot allow."""
    amount = case.body.get("amount") if isinstance(case.body, dict) else None
    by_a_hair = isinstance(amount, float) and amount >= 0 and abs(amount * 100 - round(amount * 100)) <= 1e-6
    return not (by_a_hair and isinstance(failure, AcceptedNegativeData) and "amount" in str(failure.message))
