"""The pages that say what the services say to each other: docs/asyncapi.yaml for programs, docs/messages.md for people."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from lab.shop import wirings_in
from patterns.asyncapi import as_yaml, document
from patterns.generated import fill
from patterns.messages_page import generated
from patterns.settings import MODES
from patterns.shop_examples import example

REFRESH = "orderflow asyncapi --write"
DOCS = Path("docs")


def described(modes: Iterable[str] = MODES, service: str = "") -> dict[str, Any]:
    """What is said in these modes (by and to one service, or by all), as an AsyncAPI document."""
    return document({mode: wirings_in(mode) for mode in modes}, example, service=service)


def refresh(docs: Path = DOCS) -> list[Path]:
    """Write both pages anew; answers those that changed."""
    changed = stale(docs)
    for path, text in _pages(docs):
        path.write_text(text, encoding="utf-8")
    return changed


def stale(docs: Path = DOCS) -> list[Path]:
    """The pages that no longer say what the wirings and models say."""
    return [path for path, text in _pages(docs) if not path.exists() or path.read_text(encoding="utf-8") != text]


def _pages(docs: Path) -> Iterator[tuple[Path, str]]:
    yield docs / "asyncapi.yaml", f"# Generated from wirings and models: {REFRESH}\n{as_yaml(described())}"
    page = docs / "messages.md"
    said = generated({mode: wirings_in(mode) for mode in MODES}, example)
    yield page, fill(page.read_text(encoding="utf-8"), "messages", f"\n\n{said}\n\n", page.name)
