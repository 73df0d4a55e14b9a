"""Who may import whom: the contracts in pyproject.toml hold, and each of them bites."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT

LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")


def lint_imports(root: Path) -> str:
    """What import-linter says of the packages in a folder."""
    done = subprocess.run([LINT_IMPORTS, "--no-cache"], cwd=root, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_every_contract_is_kept() -> None:
    said = lint_imports(ROOT)
    assert "0 broken" in said, said


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the house, in which to break the rules."""
    copy = tmp_path_factory.mktemp("house")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    return copy


@pytest.mark.parametrize(
    ("where", "violation"),
    [
        ("product/crud.py", "import user.crud"),
        ("patterns/errors.py", "import order.models"),
        ("patterns/message.py", "import lab.run"),
        ("patterns/journal.py", "import patterns.shop"),
        ("delivery/schemas.py", "import lab"),
        ("payment/rabbitmq.py", "import pika"),
        ("lab/audit.py", "import pika"),
        ("user/models.py", "import user.crud"),
        ("notification/crud.py", "import notification.mqlistener"),
    ],
)
def test_a_forbidden_import_is_found(house: Path, where: str, violation: str) -> None:
    file = house / where
    honest = file.read_text()
    file.write_text(f"{honest}\n{violation}  # planted\n")
    try:
        said = lint_imports(house)
    finally:
        file.write_text(honest)
    importer = where.removesuffix(".py").replace("/", ".")
    assert f"{importer} -> {violation.removeprefix('import ')}" in said, said
