"""Mutants in processes of their own, on a real RabbitMQ and PostgreSQL; what must notice is the torture's audit.

Each service starts as ``python -m tests.mutants.start MUTANT serve SERVICE``.  The day of a hunt is short, and meets the
fault that the missing defence is there for.  Deadlines are far away: they would undo, and hide, what a mutant lost.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from lab.torture import Plan, torture
from lab.torture.result import Totals
from lab.torture.shops import SeparateShop
from patterns.settings import configure, settings
from tests.mutants import patches_flow as flow
from tests.mutants import patches_messages as messages
from tests.mutants.mutant import Patch, together

STUCK_SECONDS = 10.0
"""No message is left anywhere, and nothing has changed for so long: handling one takes far less."""

PLAN = Plan(
    modes=("topic", "default"), together=True, orders=6, clients=4, instances=1, kills=0, deadline_seconds=900,
    heartbeat_seconds=3, quiet_seconds=45, stuck_seconds=STUCK_SECONDS,
)


@dataclass(frozen=True)
class OnServers:
    """A defence taken away, and the faults it is there for."""

    name: str
    number: str
    removed: str
    patch: Patch
    faults: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    """What else the services are told."""

    @property
    def plan(self) -> Plan:
        """The day of its hunt."""
        return Plan(**{**vars(PLAN), "faults": self.faults})


ON_SERVERS: dict[str, OnServers] = {one.name: one for one in (
    OnServers("ack-before-commit", "1", "The message is acknowledged before the work is committed.",
              messages.ack_before_commit, ("before-commit",) * 3),
    OnServers("sent-before-it-is", "5", "An outbox row is marked as sent before it is published, and confirmed.",
              messages.sent_before_it_is, ("after-commit",) * 3),
    OnServers("transient", "6c", "Messages are not persistent (on classic queues: quorum queues keep them all the same).",
              messages.transient, ("backlog",) * 2, {"QUEUE_TYPE": "classic"}),
    OnServers("no-inbox-no-guard", "7a", "Neither the inbox nor the step rows notice a duplicate.",
              together(messages.no_inbox, flow.no_step_guard), ("before-ack",) * 4),
)}


class MutantShop(SeparateShop):
    """A shop of which every process lacks a defence; with no mutant named, none."""

    def __init__(self, plan: Plan, mutant: OnServers, *, lacking: bool) -> None:
        super().__init__(plan)
        self._mutant, self._lacking = mutant, lacking

    def _environment(self, **servers: str) -> dict[str, str]:
        return super()._environment(**servers) | dict(self._mutant.environment)

    def _start_processes(self) -> None:
        name = self._mutant.name if self._lacking else "nothing"
        for service, group in self.groups.items():
            for process in group:
                process.command = [sys.executable, "-m", "tests.mutants.start", name, "serve", service]
        super()._start_processes()


def hunt_on_servers(mutant: OnServers, *, lacking: bool = True) -> list[str]:
    """What the audit says after its day; nothing, if nothing was noticed.  ``lacking=False`` is the day with the defence."""
    with _configured(mutant):
        return broken(torture(mutant.plan, shop_of=lambda plan: MutantShop(plan, mutant, lacking=lacking)))


@contextmanager
def _configured(mutant: OnServers) -> Iterator[None]:
    """The auditor's own settings are those of the shop, servers of our own among them."""
    before = settings().model_dump()
    configure(rabbitmq_url="", database_url="", **{name.lower(): value for name, value in mutant.environment.items()})
    try:
        yield
    finally:
        configure(**before)


def broken(totals: Totals) -> list[str]:
    """Every promise that a torture found broken, and what was left undone."""
    found = [one for result in totals.results for one in (*result.report.promises, *result.truths)]
    said = [f"{one.text} {one.broken[0]}" for one in (*found, *totals.audit.promises) if one.broken]
    return [*(what for result in totals.results for what in result.report.unfinished), *said, *totals.endings]
