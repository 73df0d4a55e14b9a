"""What `make test` leaves to `TESTS=whole make test`: what takes long, or repeats on another side what was tested.

``@pytest.mark.whole`` leaves a test out; ``@pytest.mark.whole(shop="real", words=("fanout", "direct"))`` only those of its
variants whose parameters are all among these.  How many were left out is in pytest's last line ("deselected").
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import pytest

WHOLE = os.environ.get("TESTS") == "whole"


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    config.addinivalue_line("markers", "whole(**parameters): left to TESTS=whole make test, all or these variants")
    if os.environ.get("TESTS", "whole") != "whole":
        raise pytest.UsageError(f"TESTS={os.environ['TESTS']} means nothing; TESTS=whole is for all tests.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is marked so."""
    if WHOLE:
        return
    left = {item for item in items if any(leaves_out(mark.kwargs, item) for mark in item.iter_markers("whole"))}
    if left:
        config.hook.pytest_deselected(items=list(left))
        items[:] = [item for item in items if item not in left]


def leaves_out(parameters: Mapping[str, Any], item: pytest.Item) -> bool:
    """Whether a marker with these parameters means this variant of a test."""
    chosen = getattr(getattr(item, "callspec", None), "params", {})
    among = {name: values if isinstance(values, tuple) else (values,) for name, values in parameters.items()}
    return all(name in chosen and chosen[name] in values for name, values in among.items())
