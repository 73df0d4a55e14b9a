"""Every kind of fault, by name."""

from __future__ import annotations

from lab.torture import ways as ways  # each brings its kinds
from lab.torture import ways_of_lines as ways_of_lines
from lab.torture.faults import WAYS
from patterns.errors import SettingsError

NEEDS_A_CLUSTER = "node"
ALONE = tuple(name for name in WAYS if name != NEEDS_A_CLUSTER)
"""Those that one node is enough for."""


def kinds_of(names: str) -> tuple[str, ...]:
    """The kinds that are named, separated by commas; ``all``: those that one node is enough for.

    Raises SettingsError for one that is not there.
    """
    chosen = ALONE if names == "all" else tuple(name.strip() for name in names.split(",") if name.strip())
    for name in chosen:
        if name not in WAYS:
            raise SettingsError(f"{name} is no kind of fault; there are {', '.join(WAYS)}")
    return chosen
