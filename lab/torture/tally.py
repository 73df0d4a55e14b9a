"""What came of tortures, counted; and whether enough was done and seen to say anything."""

from __future__ import annotations

from collections.abc import Sequence

from lab.promises import Promise
from lab.torture.plan import Plan
from lab.torture.result import Totals
from lab.verify.tier import Asked, Tally, Violation

KILLS_PER_MODE = 9
LEAST = {
    "rabbitmq stopped or killed": (2, ("rabbitmq stopped", "rabbitmq killed")),
    "memory alarm": (1, ("memory alarm",)),
    "node killed": (3, ("node killed",)),
    "database restarted or killed": (2, ("database restarted", "database killed")),
    "deaths at exact places": (3, ("die",)),
    "pause": (1, ("pause",)),
    "restart in order": (6, ("restart in order",)),
    "connections cut": (3, ("cut", "reset", "cut at a byte")),
    "connections closed": (2, ("connection closed",)),
    "silence": (1, ("silence",)),
    "queue deleted": (1, ("queue deleted",)),
}
"""How often each kind must have come, whatever the size, and the counters that tell."""

LEAST_SHARES = {"order SUCCESS": 0.1, "order FAILED": 0.05}


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
        tally.seen.update({f"order {status}": times for status, times in result.endings.items()})
        tally.seen.update({f"failed by {why}": times for why, times in result.why_failed.items()})
        tally.seen.update(result.outcomes)
        tally.seen["placed unheard"] += result.placed_unheard
        tally.violations += _violations(plan, result.mode, [*result.report.promises, *result.truths])
        tally.violations += _violations(plan, result.mode, [Promise("It comes to rest.", result.report.unfinished)])
    # What is broken at last is nobody's in particular: the first mode's command is as good as another's.
    left, endings = Promise("Nothing is left.", totals.audit.unfinished), Promise("Everybody ends.", totals.endings)
    at_last = [*totals.audit.promises, left, endings]
    tally.violations += _violations(plan, plan.modes[0], at_last)
    return tally


def _violations(plan: Plan, mode: str, promises: Sequence[Promise]) -> list[Violation]:
    faults = [f"--faults {','.join(plan.faults_in(mode))}"] if plan.faults_in(mode) else []
    again = " ".join([
        f"orderflow torture --mode {mode} --orders {plan.orders} --clients {plan.clients} --kills {plan.kills}",
        f"--at-once {plan.at_once} --restarts {plan.restarts}", *faults, *["--cluster"] * plan.cluster,
        f"--deadline {plan.deadline_seconds} --heartbeat {plan.heartbeat_seconds} --seed {plan.seed}",
    ])
    return [
        Violation(f"{mode}: {promise.text} {len(promise.broken)} times: {'; '.join(promise.broken[:3])}", again)
        for promise in promises if promise.broken
    ]


def judge(asked: Asked, tally: Tally) -> list[str]:
    """What was hardly seen."""
    kinds = {name: sum(times for kind, times in tally.happened.items() if kind.partition(" @ ")[0] in counters)
             for name, (_, counters) in LEAST.items()}
    kills = tally.happened["kill -9"] + kinds["deaths at exact places"]
    hardly = [f"{name}: {kinds[name]}, at least {least}" for name, (least, _) in LEAST.items() if kinds[name] < least]
    if kills < (least := KILLS_PER_MODE * len(asked.modes)):
        hardly.append(f"processes killed: {kills}, at least {least}")
    for what, share in LEAST_SHARES.items():
        if tally.seen[what] < share * tally.runs:
            hardly.append(f"{what}: {tally.seen[what]} of {tally.runs}, at least {share:.0%}")
    if not tally.seen["place unknown"]:
        hardly.append("no client was left without an answer")
    return hardly
