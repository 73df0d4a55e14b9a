"""What came of tortures, counted; and whether enough was done and seen to say anything."""

from __future__ import annotations

from collections.abc import Sequence

from lab.faults.dying import PLACES
from lab.promises import Promise
from lab.torture.plan import Plan
from lab.torture.result import LEAST_SUCCESS, Totals
from lab.verify.tier import Asked, Tally, Violation
from patterns.settings import MODES

LEAST_KILLS = 50
LEAST = {
    "rabbitmq stopped or killed": (2, ("rabbitmq stopped", "rabbitmq killed")),
    "rabbitmq restarted over a backlog": (1, ("restart over a backlog",)),
    "memory alarm": (1, ("memory alarm",)),
    "node killed": (3, ("node killed",)),
    "database restarted": (1, ("database restarted",)),
    "database killed": (1, ("database killed",)),
    **{f"death {place}": (1, (f"die @ {place}",)) for place in PLACES},
    "pause": (1, ("pause",)),
    "restart in order": (6, ("restart in order",)),
    "connections cut": (2, ("cut",)),
    "connections reset": (2, ("reset",)),
    "cut at a byte": (2, ("cut at a byte",)),
    "connections closed": (2, ("connection closed",)),
    "latency": (1, ("latency",)),
    "one-byte slices": (1, ("slices",)),
    "silence": (1, ("silence",)),
    "queue deleted": (1, ("queue deleted",)),
}
"""How often each kind must have come, whatever the size, and the counters that tell, with their place or without."""

LEAST_SHARES = {"SUCCESS": LEAST_SUCCESS, "FAILED": 0.05}
"""Of each mode's orders."""


def tally_of(plan: Plan, totals: Totals) -> Tally:
    """What came of a torture, counted."""
    tally = Tally()
    for result in totals.results:
        tally.runs += result.orders
        tally.happened["kill -9"] += sum(result.killed.values())
        for outage in result.outages:
            tally.happened[f"rabbitmq {outage.how}"] += 1
        tally.happened.update(result.faults)
        tally.seen.update({f"{name} in vain": times for name, times in result.missed.items()})
        tally.seen.update({
            f"{status} in {mode}": times for mode, ended in result.by_mode.items() for status, times in ended.items()
        })
        tally.seen.update({f"failed by {why}": times for why, times in result.why_failed.items()})
        tally.seen.update(result.outcomes)
        tally.seen["placed unheard"] += result.placed_unheard
        tally.violations += _violations(plan, result.mode, [*result.report.promises, *result.truths])
        tally.violations += _violations(plan, result.mode, [Promise("It comes to rest.", result.report.unfinished)])
    left, endings = Promise("Nothing is left.", totals.audit.unfinished), Promise("Everybody ends.", totals.endings)
    tally.violations += _violations(plan, "at last", [*totals.audit.promises, left, endings])
    return tally


def again(plan: Plan) -> str:
    """The command that does a plan once more."""
    modes = [] if set(plan.modes) == set(MODES) else [f"--mode {mode}" for mode in plan.modes]
    faults = [f"--faults {','.join(plan.faults)}"] if plan.faults else []
    heartbeat = [] if plan.heartbeat_seconds is None else [f"--heartbeat {plan.heartbeat_seconds}"]
    return " ".join([
        "orderflow torture", *modes, *["--together"] * plan.together, f"--orders {plan.orders} --clients {plan.clients}",
        f"--instances {plan.instances} --kills {plan.kills} --at-once {plan.at_once} --restarts {plan.restarts}", *faults,
        *["--cluster"] * plan.cluster, f"--deadline {plan.deadline_seconds}", *heartbeat, f"--seed {plan.seed}",
    ])


def _violations(plan: Plan, when: str, promises: Sequence[Promise]) -> list[Violation]:
    return [
        Violation(f"{when}: {promise.text} {len(promise.broken)} times: {'; '.join(promise.broken[:3])}", again(plan))
        for promise in promises if promise.broken
    ]


def judge(asked: Asked, tally: Tally) -> list[str]:
    """What was hardly seen."""
    def times(counters: Sequence[str]) -> int:
        return sum(n for kind, n in tally.happened.items() if kind in counters or kind.partition(" @ ")[0] in counters)

    hardly = [f"{name}: {times(kinds)}, at least {least}" for name, (least, kinds) in LEAST.items() if times(kinds) < least]
    if (kills := tally.happened["kill -9"]) < LEAST_KILLS:
        hardly.append(f"kill -9: {kills}, at least {LEAST_KILLS}")
    for mode in asked.modes:
        orders = sum(number for what, number in tally.seen.items() if what.endswith(f" in {mode}"))
        for status, share in LEAST_SHARES.items():
            if tally.seen[f"{status} in {mode}"] < max(1, share * orders):
                hardly.append(f"{status} in {mode}: {tally.seen[f'{status} in {mode}']} of {orders}, at least {share:.0%}")
    if not tally.seen["place unknown"]:
        hardly.append("no client was left without an answer")
    return hardly
