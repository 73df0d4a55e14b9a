"""The course of a benchmark: both teams are started once; then each measurement in turn, A B A B, in each mode and round."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from lab.audit import audit_when_quiet
from lab.bench.likeness import unlike
from lab.bench.measures import Figures, Measure, closed_loop, drain, idle, open_loop
from lab.bench.meter import Meter, memory
from lab.bench.plan import BenchTrouble, Plan
from lab.bench.result import HALF, Results, loop_name
from lab.bench.rows import fill, stock_up
from lab.bench.session import Session, Tick, Watch
from lab.bench.teams import Team, teams
from lab.bench.watch import Watcher
from lab.compare.places import Real, real_place, settings_as_before
from lab.machine import circumstances

POSTGRES = {
    "shared_preload_libraries": "pg_stat_statements", "shared_buffers": "512MB", "max_wal_size": "2GB", "autovacuum": "on",
}
"""Of the private PostgreSQL: what a server of this size would be given; ``fsync`` and ``synchronous_commit`` stay on."""

AUDITED_ORDERS = 50_000
"""The audit reads every row into memory; with more orders than these only the sums are compared."""


def bench(plan: Plan, watch: Watch = lambda _: None, servers: Real | None = None) -> Results:
    """Carry out a plan and answer what came of it; on these servers, if given, else on those configured, or private ones.

    Raises BenchTrouble when something did not keep its promises.
    """
    watch(Tick("starting servers"))
    with (
        settings_as_before(), nullcontext(servers) if servers else real_place(POSTGRES) as place,
        tempfile.TemporaryDirectory(prefix="orderflow-bench-") as logs,
    ):
        watch(Tick("starting both, six processes each"))
        results = Results(plan, place.description, circumstances=circumstances(place.description))
        with _sessions(plan, place, Path(logs)) as sessions:
            for mode in plan.modes:
                for turn in range(plan.rounds):
                    _round(mode, turn, sessions, results, watch)
                watch(Tick("audit", mode))
                _check(sessions)
            for session in sessions:
                results.memory[session.team.name] = {
                    process.name: round(memory(process.pid, "VmHWM"), 1) for process in session.team.processes}
        return results


@contextmanager
def _sessions(plan: Plan, place: Real, logs: Path) -> Iterator[list[Session]]:
    with ExitStack() as opened:
        both: tuple[Team, ...] = opened.enter_context(teams(plan, place, logs))
        meter, sessions = Meter(place), []
        for team in both:
            team.pause()
            stock_up(team.database_url)
            fill(team.database_url, plan.rows)
            watcher = opened.enter_context(Watcher(team, plan.limit_seconds))
            sessions.append(Session(plan, team, watcher, meter))
        yield sessions


def _round(mode: str, turn: int, sessions: list[Session], results: Results, watch: Watch) -> None:
    """Each measurement once with each team; the first round of a mode begins with some orders that do not count."""
    warm_up: dict[str, Measure] = {"warm-up": _warm_up} if turn == 0 else {}
    if turn == 0 and mode == results.plan.modes[0]:
        warm_up |= {"idle": lambda session: {"idle": idle(session, session.plan.idle_seconds)}}
    for name, measure in {**warm_up, **_measures(mode, results)}.items():
        for session in sessions:
            tick = Tick(name, mode, session.team.name, turn + 1, results.plan.rounds)
            session.tell = partial(_tell, watch, tick)
            session.tell(0, 0)
            with session.turn(mode):
                found = measure(session)
            for what, figures in found.items():
                results.note(mode, what, session.team.name, figures)


def _measures(mode: str, results: Results) -> dict[str, Measure]:
    """What is measured in a mode.  A client of rpc waits for the ending, so that there is no backlog to accept."""
    plan, measures = results.plan, dict[str, Measure]()
    if mode != "rpc" and {"drain", "accept"} & {*plan.kinds}:
        measures["drain"] = lambda session: drain(session, plan.orders, plan.kinds)
    for clients in plan.clients if "closed" in plan.kinds else ():
        orders = plan.looped if clients > 1 else max(10, plan.looped // 4)
        measures[loop_name(clients)] = lambda session, orders=orders, clients=clients: {  # type: ignore[misc]
            loop_name(clients): closed_loop(session, orders, clients)}
    if "closed" in plan.kinds:
        busiest = loop_name(max(plan.clients))
        measures[HALF] = lambda session: {
            HALF: open_loop(session, plan.looped, results.latest(mode, busiest, session.team.name)["orders_per_second"] / 2)}
    return measures


def _warm_up(session: Session) -> dict[str, Figures]:
    session.place(session.plan.warm_up, 4)
    return {}


def _check(sessions: list[Session]) -> None:
    """Both have done the same, and every promise is kept."""
    if wrong := unlike([session.team.database_url for session in sessions]):
        raise BenchTrouble(f"Ours and the bare program did not do the same work: {'; '.join(wrong[:5])}")
    for session in sessions:
        _audit(session)


def _audit(session: Session) -> None:
    """Every promise, on every row, as ``orderflow audit`` checks them; the bare program's rows are of the same tables."""
    if session.plan.rows + session.watcher.all_orders() > AUDITED_ORDERS:
        return
    session.team.point_here()
    session.team.resume()
    report = audit_when_quiet(session.plan.limit_seconds)
    session.team.pause()
    if not report.clean:
        broken = [f"{promise.text} {promise.broken[:3]}" for promise in report.promises if promise.broken]
        raise BenchTrouble(f"{session.team.name}: the audit is not clean: {'; '.join(broken + report.unfinished)}")


def _tell(watch: Watch, tick: Tick, done: int, orders: int) -> None:
    watch(replace(tick, done=done, orders=orders))
