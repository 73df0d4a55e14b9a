"""docs/lines.md says what came of each cut; what nobody noticed has a reason, and each reason is about such a cut."""

from __future__ import annotations

from tests.mutants.lines_kept import DOCUMENT, OPEN, kept, written
from tests.mutants.spared import SPARED


def test_the_table_is_what_was_tried() -> None:
    document = DOCUMENT.read_text(encoding="utf-8")
    assert written(document) == document, "python -m tests.mutants.lines --write"


def test_what_nobody_noticed_has_a_reason_and_each_reason_is_needed() -> None:
    tried = kept()
    assert [name for name, by in tried.items() if not by and name not in SPARED] == []
    assert [name for name in SPARED if tried.get(name) not in ("", OPEN)] == []
