"""RabbitMQ's side, for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lab.differential.real import RealSide


@pytest.fixture(scope="module")
def real(module_rabbitmq_url: str) -> Iterator[RealSide]:
    side = RealSide(module_rabbitmq_url)
    yield side
    side.close()
