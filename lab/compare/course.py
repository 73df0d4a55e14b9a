"""The course of a comparison: one fresh shop after another, the same orders in each."""

from __future__ import annotations

from contextlib import nullcontext

from lab.compare.calm import calm_run
from lab.compare.outage import outage_run
from lab.compare.places import Place, place_for, settings_as_before
from lab.compare.plan import Plan
from lab.compare.result import Comparison
from lab.compare.run import Tick, Watch, opened
from lab.compare.workload import workload
from patterns.settings import configure


def compare(plan: Plan, watch: Watch = lambda _: None, servers: Place | None = None) -> Comparison:
    """Carry out a plan and answer what came of it; on these servers, if given, else where the plan says.

    Raises CompareTrouble when the comparison itself failed.
    """
    watch(Tick("starting servers" if plan.real else "making orders"))
    with settings_as_before(), nullcontext(servers) if servers else place_for(plan.real) as place:
        configure(**plan.settings)
        work = workload(plan)
        comparison = Comparison(plan, place.description)
        for mode in plan.modes:
            with opened(plan, mode, work, place, watch) as run:
                comparison.calm[mode] = calm_run(run)
        for mode in plan.modes if plan.outage_seconds else ():
            with opened(plan, mode, work, place, watch) as run:
                comparison.outage[mode] = outage_run(run)
        return comparison
