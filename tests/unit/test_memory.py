"""Temporary files in memory: where there is enough of it, and only for as long as they are wanted."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lab.servers import memory


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(memory, "PLACE", tmp_path)
    monkeypatch.setattr(memory, "ENOUGH_BYTES", 1)
    return tmp_path


def test_files_of_this_process_and_its_children_are_there_and_then_gone(place: Path) -> None:
    before = tempfile.gettempdir()
    with memory.temporary_files_in_memory():
        child = [sys.executable, "-c", "import tempfile; print(tempfile.gettempdir())"]
        there = subprocess.run(child, check=True, capture_output=True, text=True).stdout.strip()
        assert Path(there).parent == place and tempfile.gettempdir() == there
        Path(tempfile.mkdtemp(), "file").touch()
    assert list(place.iterdir()) == [] and tempfile.gettempdir() == before


def test_what_somebody_wants_to_look_at_stays(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with memory.temporary_files_in_memory() as left_because:
        Path(tempfile.mkdtemp(), "file").touch()
        left_because.append("A test failed")
    [folder] = place.iterdir()
    assert f"A test failed: what it left is in {folder}" in capsys.readouterr().err


def test_without_enough_of_it_files_stay_where_they_were(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "ENOUGH_BYTES", 1 << 60)
    before = os.environ.get("TMPDIR")
    with memory.temporary_files_in_memory():
        assert os.environ.get("TMPDIR") == before and list(place.iterdir()) == []
