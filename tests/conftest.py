"""What holds for every test: settings nobody else has touched."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from patterns import settings as settings_module
from patterns.settings import Settings, configure

pytest_plugins = ["tests.workers", "tests.servers", "tests.shops", "tests.sizes"]


def pytest_configure() -> None:
    """Clear the environment, and ``.env``, of our settings: a test sees the defaults, or what it sets itself."""
    for name in Settings.model_fields:
        os.environ.pop(name.upper(), None)
        os.environ.pop(name, None)
    Settings.model_config["env_file"] = None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what asks for a server ``real``, so that nobody has to remember to."""
    servers = {"rabbitmq_server", "postgres_server", "private_rabbitmq", "private_postgres"}
    for item in items:
        if servers & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.real)
    items.sort(key=lambda item: "regressions/test_plans.py" not in item.nodeid)  # what broke once is tried first


@pytest.fixture(autouse=True)
def _settings_of_its_own(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every test starts from the default settings, whatever the one before it configured."""
    monkeypatch.setattr(settings_module, "_current", None)
    configure()
    yield
