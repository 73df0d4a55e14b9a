"""Six services of one shape: who knows one knows them all.  And no file too long to read in one go."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, ROOT, SERVICES, python_files

FILES = {"__init__", "main", "routes", "schemas", "models", "crud", "database", "rabbitmq", "mqlistener"}
HELPERS = [f"{verb}_{kind}" for kind in ("default", "fanout", "topic", "rpc") for verb in ("publish", "consume")]

LONGEST_IN_A_SERVICE = 160
LONGEST_LISTENER_OF_ORDER = 200  # it leads two modes, so its six wirings are the longest
LONGEST_ELSEWHERE = 220


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_the_same_files(service: str) -> None:
    assert {path.stem for path in (ROOT / service).glob("*.py")} == FILES


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_has_its_migrations_and_no_other_folder(service: str) -> None:
    folders = {path.name for path in (ROOT / service).iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == {"migrations"}


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_speaks_and_listens_with_the_same_eight_helpers(service: str) -> None:
    rabbitmq = importlib.import_module(f"{service}.rabbitmq")
    for name in HELPERS:
        helper = getattr(rabbitmq, name)
        home = getattr(helper, "__func__", helper).__module__
        assert home.startswith("patterns."), f"{name} of {service} is written in {home}, not bound from patterns"
        assert helper.__self__.service == service, f"{name} of {service} speaks as {helper.__self__.service}"


def too_long(root: Path) -> list[str]:
    found = []
    for package in PACKAGES:
        most = LONGEST_IN_A_SERVICE if package in SERVICES else LONGEST_ELSEWHERE
        for path in python_files(package, root=root):
            lines = len(path.read_text(encoding="utf-8").splitlines())
            if lines > (LONGEST_LISTENER_OF_ORDER if path == root / "order" / "mqlistener.py" else most):
                found.append(f"{path.relative_to(root)} has {lines} lines; one idea a file, at most {most}")
    return found


def test_no_file_is_too_long_to_read() -> None:
    assert not (found := too_long(ROOT)), "\n".join(found)


def test_a_file_too_long_is_found(tmp_path: Path) -> None:
    for package, lines in (("user", 161), ("order", 160), ("patterns", 220), ("lab", 221)):
        (tmp_path / package).mkdir()
        (tmp_path / package / "file.py").write_text("x = 1\n" * lines)
    assert [line.split()[0] for line in too_long(tmp_path)] == ["lab/file.py", "user/file.py"]
