"""One episode: some transactions in one order, and what it broke."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import permutations
from typing import Any

from lab.books import open_books
from lab.interleaving.gates import Choose, Crossing
from lab.interleaving.of_goods import OF_GOODS
from lab.interleaving.of_money import OF_MONEY
from lab.interleaving.of_orders import OF_ORDERS, OF_RELAYS, OF_STEPS
from lab.interleaving.orders import AllOrders, AsWritten, ByChance, OneAfterAnother
from lab.interleaving.scenarios import Scenario
from lab.interleaving.stage import Stage
from lab.interleaving.steps import Step
from lab.promises import ALWAYS_LOCAL, check
from patterns.errors import OrderflowError, ServerUnavailable

SCENARIOS = (*OF_MONEY, *OF_GOODS, *OF_ORDERS, *OF_STEPS, *OF_RELAYS)

MISHAPS = ("retried", "parked", "dropped")


@dataclass(frozen=True)
class Episode:
    """What one order of steps did and broke."""

    scenario: Scenario
    mode: str
    crossing: Crossing
    left: str
    """What the tables hold and the acts answered, to be compared."""
    broken: tuple[str, ...]
    met: Counter[str] = field(default_factory=Counter)
    """What else was met: refusals, duplicates …"""

    @property
    def again(self) -> str:
        """The command that does it once more."""
        name = f"{self.scenario.service}: {self.scenario.name}"
        return f'python -m lab.interleaving "{name}" {self.mode} {self.crossing.order}'


class Play:
    """A scenario in one mode, as often as one likes."""

    def __init__(self, scenario: Scenario, mode: str, stage: Stage) -> None:
        self.scenario, self.mode, self.stage = scenario, mode, stage
        self.all_orders = AllOrders({})
        self.serial: set[str] = set()
        """What orders of whole transactions leave."""
        self.started = False
        """Whether the serial ones are over."""
        self._seen: dict[int, set[Step]] = {}

    def episodes(self) -> Iterator[Episode]:
        """Each as a whole after the other first, in every sequence; then every order that matters."""
        yield from self._one_after_another()
        self.all_orders = AllOrders(self._seen)
        self.started = True
        while not self.all_orders.done:
            yield self.judged(self.all_orders.choose)
            self.all_orders.next()

    def judged(self, choose: Choose) -> Episode:
        """One episode, held against the serial ones."""
        if not self.serial:
            self.one_after_another()
        episode = self.run(choose)
        if not self.scenario.as_serial or episode.left in self.serial:
            return episode
        what = f"left what no order of whole transactions leaves: {self._unlike(episode.left)}"
        return replace(episode, broken=(*episode.broken, what))

    def _unlike(self, left: str) -> str:
        """How it differs from the serial one that is most like it."""
        rows = set(left.splitlines())
        nearest = min((set(serial.splitlines()) for serial in self.serial), key=lambda serial: len(serial ^ rows))
        return f"here {sorted(rows - nearest)}, not {sorted(nearest - rows)}"

    def by_chance(self, seed: int) -> Episode:
        """An order that a seed decides."""
        return self.judged(ByChance(seed).choose)

    def as_written(self, order: str) -> Episode:
        """An order that was written down."""
        return self.judged(AsWritten(order).choose)

    def one_after_another(self) -> list[Episode]:
        """Each as a whole, in every sequence."""
        return list(self._one_after_another())

    def _one_after_another(self) -> Iterator[Episode]:
        for sequence in permutations(range(len(self.scenario.acts))):
            episode = self.run(OneAfterAnother(sequence).choose)
            self.serial.add(episode.left)
            for number, step in episode.crossing.steps:
                self._seen.setdefault(number, set()).add(step)
            yield episode

    def run(self, choose: Choose) -> Episode:
        """One episode, held against the promises."""
        stage = self.stage
        stage.reset(self.mode)
        for act in self.scenario.before:
            stage.alone(partial(act, stage))
        crossing = stage.play([partial(act, stage) for act in self.scenario.acts], choose)
        state = stage.state()
        broken = [f"{kind} {stage.listener.counts[kind]}" for kind in MISHAPS if stage.listener.counts[kind]]
        broken += [f"raised {actor.error!r}" for actor in crossing.actors if _unexpected(actor.error)]
        broken += [f"{type_} counts as sent, and was never published" for type_ in stage.unpublished(state)]
        if stage.name in ("user", "product"):
            books = open_books(lambda _: stage.database, services=(stage.name,))
            broken += [where for promise in check(books, ALWAYS_LOCAL) for where in promise.broken]
        answers = [f"actor {actor.number}: {_told(actor.answer, actor.error)}" for actor in crossing.actors]
        left = sorted(f"{table} {json.dumps(row, sort_keys=True)}" for table, rows in state.items() for row in rows)
        whole = "\n".join([*left, *answers])
        return Episode(self.scenario, self.mode, crossing, whole, tuple(broken), _met(crossing, state, stage.heard))


def _unexpected(error: Exception | None) -> bool:
    """Refusals are answers; everything else is not, nor is a database that gave way too often."""
    return error is not None and (not isinstance(error, OrderflowError) or isinstance(error, ServerUnavailable))


def _met(crossing: Crossing, state: Mapping[str, list[dict[str, Any]]], heard: int) -> Counter[str]:
    """What the episode met, as far as the tables show it."""
    met = Counter(row["state"].lower() for rows in state.values() for row in rows if "state" in row)
    met["refused"] = met["rejected"] + sum(actor.error is not None for actor in crossing.actors)
    met["tombstone"] = met["void"]
    met["duplicate"] = heard - len(state["inbox"])
    return met


def _told(answer: Any, error: Exception | None) -> str:
    if error is not None:
        return type(error).__name__
    mapping = getattr(answer, "_mapping", None)
    return str(dict(mapping)) if mapping is not None else str(answer)
