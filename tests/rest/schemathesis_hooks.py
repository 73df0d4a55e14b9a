"""What an OpenAPI document cannot say: one Idempotency-Key is for one request."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import schemathesis

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """Make a valid key one that was never used: the same with another body is rightly refused (422)."""
    key = case.headers.get(KEY) if case.headers else None
    if key and len(key) <= 200 and key.isascii() and key.isprintable() and key == key.strip():
        case.headers[KEY] = f"{key}.{uuid4()}"
