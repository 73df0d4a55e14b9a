"""The course of a benchmark: all teams are started once; then each measurement in turn, A B A B, in each mode and round."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path

from lab.audit import audit_when_quiet
from lab.bench.agenda import Agenda
from lab.bench.likeness import unlike
from lab.bench.meter import Meter, memory
from lab.bench.plan import BenchTrouble, Plan
from lab.bench.result import BARE, OURS, Results
from lab.bench.rows import fill, stock_up
from lab.bench.session import Session, Tick, Watch
from lab.bench.teams import Team, running
from lab.bench.watch import Watcher
from lab.compare.places import Real, real_place, settings_as_before
from lab.machine import circumstances

POSTGRES = {
    "shared_preload_libraries": "pg_stat_statements", "shared_buffers": "512MB", "max_wal_size": "2GB", "autovacuum": "on",
}
"""Of the private PostgreSQL: what a server of this size would be given; ``fsync`` and ``synchronous_commit`` stay on."""

AUDITED_ORDERS = 50_000
"""The audit reads every row into memory; with more orders than these only the sums are compared."""


def ours_and_bare(plan: Plan) -> list[Team]:
    """Our shop, and the bare program of the same shape."""
    return [Team(name, name == BARE, plan.rows, plan.scale) for name in (OURS, BARE)]


def bench(
    plan: Plan, watch: Watch = lambda _: None, servers: Real | None = None, teams: Sequence[Team] = ()
) -> Results:
    """Carry out a plan and answer what came of it; on these servers, if given, else on those configured, or private ones.

    Without ``teams``, ours and the bare program.  Raises BenchTrouble when something did not keep its promises.
    """
    teams = teams or ours_and_bare(plan)
    watch(Tick("starting servers"))
    with (
        settings_as_before(), nullcontext(servers) if servers else real_place(POSTGRES) as place,
        tempfile.TemporaryDirectory(prefix="orderflow-bench-") as logs,
    ):
        watch(Tick("starting all, a process for each service"))
        results = Results(plan, place.description, circumstances=circumstances(place.description))
        with _sessions(plan, teams, place, Path(logs), watch) as sessions:
            agenda = Agenda(results, len(sessions), watch)
            for mode in plan.modes:
                for turn in range(plan.rounds):
                    agenda.take(mode, turn, sessions)
            watch(Tick("audit", done=agenda.orders, orders=agenda.orders))
            _check(sessions)
            for session in sessions:
                results.memory[session.team.name] = {
                    process.name: round(memory(process.pid, "VmHWM"), 1) for process in session.team.processes}
        return results


@contextmanager
def _sessions(plan: Plan, teams: Sequence[Team], place: Real, logs: Path, watch: Watch) -> Iterator[list[Session]]:
    with ExitStack() as opened:
        opened.enter_context(running(teams, place, logs))
        meter, sessions = Meter(place), []
        for team in teams:
            team.pause()
        for team in teams:
            stock_up(team.database_url)
            if team.rows:
                watch(Tick(f"filling in {team.rows:,} settled orders", team=team.name))
                fill(team.database_url, team.rows)
            watcher = opened.enter_context(Watcher(team, plan.limit_seconds))
            sessions.append(Session(plan, team, watcher, meter))
        yield sessions


def _check(sessions: Sequence[Session]) -> None:
    """Every promise is kept, and the bare program has done the same as ours."""
    urls = [session.team.database_url for session in sessions]
    if any(session.team.bare for session in sessions) and (wrong := unlike(urls)):
        raise BenchTrouble(f"Ours and the bare program did not do the same work: {'; '.join(wrong[:5])}")
    for session in sessions:
        _audit(session)


def _audit(session: Session) -> None:
    """Every promise, on every row, as ``orderflow audit`` checks them; the bare program's rows are of the same tables."""
    if session.team.rows + session.watcher.all_orders() > AUDITED_ORDERS:
        return
    session.team.point_here()
    session.team.resume()
    report = audit_when_quiet(session.plan.limit_seconds)
    session.team.pause()
    if not report.clean:
        raise BenchTrouble(f"{session.team.name}: the audit is not clean: {report.complaint}")

