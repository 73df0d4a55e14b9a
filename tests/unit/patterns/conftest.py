"""What several of these tests need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from patterns.database import Database


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.real)])
def own_database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """An empty database of the test's own, of either kind."""
    if request.param == "postgresql":
        url = request.getfixturevalue("database_url").replace("{service}", "product")
        made = Database("product", url.replace("postgresql://", "postgresql+psycopg://"))
    else:
        made = Database("product", f"sqlite:///{request.getfixturevalue('tmp_path')}/product.db")
    yield made
    made.close()
