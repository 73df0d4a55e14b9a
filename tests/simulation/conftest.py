from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """What breaks on purpose is not worth a line each."""
    before = logging.getLogger().level
    yield
    logging.getLogger().setLevel(before)
