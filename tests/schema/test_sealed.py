"""A migration that others may have run never changes: their databases are marked with its number, and stay as they are."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.house.sources import ROOT, SERVICES

#: What each migration was when it came to main.  Add yours with its last line of work; never change one.
SEALED = {
    "delivery/0001_first_tables": "975e6ee6e9ee",
    "delivery/0002_when_deliveries_began": "acd009067840",
    "notification/0001_first_tables": "aca917011b54",
    "notification/0002_ids_of_notifications": "51de3063fd14",
    "order/0001_first_tables": "a3e3cea80c83",
    "order/0002_index_lists_of_orders": "ded19e4579ce",
    "payment/0001_first_tables": "c0a7d2b56c35",
    "payment/0002_when_payments_began": "4a86f6225faf",
    "product/0001_first_tables": "8bcd1c2e70d1",
    "product/0002_when_reservations_began": "dbc5639a7fd6",
    "user/0001_first_tables": "fa31f76b7e45",
    "user/0002_when_holds_began": "8d5201033a2a",
}


def seal(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def broken(root: Path, sealed: dict[str, str]) -> list[str]:
    """Migrations that are not what they were, are gone, or were never sealed."""
    paths = [path for service in SERVICES for path in root.glob(f"{service}/migrations/0*.py")]
    files = {f"{path.parts[-3]}/{path.stem}": seal(path) for path in paths}
    changed = [name for name in sealed if name in files and files[name] != sealed[name]]
    return [
        *(f"{name} has changed: put it back, and write the change as the next migration" for name in changed),
        *(f"{name} is gone: databases are marked with it" for name in sorted(sealed.keys() - files.keys())),
        *(f'new; when done, add to SEALED:    "{name}": "{files[name]}",' for name in sorted(files.keys() - sealed.keys())),
    ]


def test_no_migration_has_changed() -> None:
    assert not (found := broken(ROOT, SEALED)), "\n".join(found)


def test_a_change_is_found(tmp_path: Path) -> None:
    (tmp_path / "user" / "migrations").mkdir(parents=True)
    (tmp_path / "user" / "migrations" / "0001_a.py").write_text("1")
    (tmp_path / "user" / "migrations" / "0002_b.py").write_text("2")
    found = broken(tmp_path, {"user/0001_a": "another", "user/0003_c": "gone"})
    assert [line.split(" ")[0].rstrip(";") for line in found] == ["user/0001_a", "user/0003_c", "new"]
