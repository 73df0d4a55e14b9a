"""What is left to `TESTS=whole make test`: exactly what a marker says, and never all of a test's variants by a slip."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import pytest

from tests.sizes import leaves_out


@pytest.mark.parametrize(("marked", "variant", "left"), [
    ({}, {"shop": "real"}, True),
    ({}, {}, True),
    ({"shop": "real"}, {"shop": "real", "mode": "rpc"}, True),
    ({"shop": "real"}, {"shop": "embedded", "mode": "rpc"}, False),
    ({"shop": "real", "mode": ("rpc", "saga")}, {"shop": "real", "mode": "rpc"}, True),
    ({"shop": "real", "mode": ("rpc", "saga")}, {"shop": "real", "mode": "topic"}, False),
    ({"shop": "real"}, {}, False),
])
def test_a_marker_leaves_out_what_it_names(marked: dict[str, Any], variant: dict[str, Any], left: bool) -> None:
    assert leaves_out(marked, Mock(callspec=Mock(params=variant))) is left


def test_a_test_without_variants_is_left_out_only_by_a_marker_without_names() -> None:
    plain = Mock(spec=[])
    assert leaves_out({}, plain) and not leaves_out({"shop": "real"}, plain)
