"""`.env.example` explains every setting, with its default."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from patterns.settings import Settings
from tests.house.sources import ROOT

EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")


def explained(text: str) -> dict[str, str]:
    """The settings of such a file with their values; each paragraph must begin with a comment."""
    found: dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", text):
        lines = [line for line in paragraph.splitlines() if line]
        assert not lines or lines[0].startswith("#"), f"no comment says what this is:\n{paragraph}"
        found.update(line.split("=", 1) for line in lines if not line.startswith("#"))
    return found


def written(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(written, value))
    return str(value) if not isinstance(value, float) or value != int(value) else str(int(value))


def test_every_setting_is_explained_with_its_default() -> None:
    shown, defaults = explained(EXAMPLE), {name.upper(): field.default for name, field in Settings.model_fields.items()}
    assert {name: shown.get(name) for name in defaults} == {name: written(value) for name, value in defaults.items()}


def test_nothing_is_explained_that_nobody_reads() -> None:
    others = "".join(path.read_text(encoding="utf-8") for path in Path(ROOT).glob("docker-compose*.yml"))
    unread = [name for name in explained(EXAMPLE) if name.lower() not in Settings.model_fields and name not in others]
    assert unread == []
