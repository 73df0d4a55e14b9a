"""Steps: one statement or commit of one transaction, what it touches, and whether the order of two of them matters.

Under READ COMMITTED a plain SELECT sees what is committed when it begins and waits for nobody: against another's open
changes its place does not matter, against another's commit it does.  Changes (and SELECT … FOR UPDATE) wait for each
other where they meet.  https://www.postgresql.org/docs/15/transaction-iso.html#XACT-READ-COMMITTED
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

Object = tuple[str, frozenset[UUID]]
"""A table, and the rows meant, by the ids among the statement's parameters; without any it may be every row."""

SHARED = frozenset({"users", "products"})
"""Tables whose rows have small numbers for ids: among the parameters these cannot be told from amounts."""

_CHANGED = re.compile(r"(?:UPDATE|INSERT INTO|DELETE FROM)\s+(\w+)")
_NAMED = re.compile(r"(?:FROM|JOIN|UPDATE|INTO)\s+(\w+)")
_LOCKING = re.compile(r"FOR (NO KEY )?UPDATE|FOR (KEY )?SHARE")


@dataclass(frozen=True)
class Step:
    """What a transaction does next."""

    words: str
    reads: frozenset[Object] = frozenset()
    changes: frozenset[Object] = frozenset()
    """What it changes or locks; of a commit or rollback: what its whole transaction did."""
    ends: bool = False


def step_of(statement: str, parameters: Any, before: frozenset[Object]) -> Step:
    """A statement as a step; ``before``: what its transaction has changed so far."""
    words = " ".join(statement.split())
    if words.startswith("ROLLBACK TO"):
        return Step(words, changes=before, ends=True)  # gives back the locks taken since
    keys = frozenset(_ids(parameters))
    named = {(table, frozenset() if table in SHARED else keys) for table in _NAMED.findall(words)}
    if _CHANGED.match(words):
        target = _CHANGED.findall(words)[0]
        changed = {each for each in named if each[0] == target}
    else:
        changed = named if _LOCKING.search(words) else set()
    return Step(words, frozenset(named - changed), frozenset(changed))


def ending(words: str, before: frozenset[Object]) -> Step:
    """A commit or rollback."""
    return Step(words, changes=before, ends=True)


def order_matters(one: Step, other: Step) -> bool:
    """Whether these steps of two transactions may leave something else the other way round."""
    return (
        _meet(one.changes, other.changes)
        or (one.ends and _meet(one.changes, other.reads)) or (other.ends and _meet(other.changes, one.reads))
    )


def _meet(some: Iterable[Object], others: frozenset[Object]) -> bool:
    return any(
        table == other and (not keys or not other_keys or keys & other_keys)
        for table, keys in some for other, other_keys in others
    )


def _ids(parameters: Any) -> Iterable[UUID]:
    if isinstance(parameters, UUID):
        yield parameters
    elif isinstance(parameters, Mapping):
        for each in parameters.values():
            yield from _ids(each)
    elif isinstance(parameters, list | tuple):
        for each in parameters:
            yield from _ids(each)
