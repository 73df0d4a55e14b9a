"""The benchmark as a page: where the figures come from, targets, tables, pictures."""

from __future__ import annotations

from collections.abc import Sequence

from lab.bench.result import Results
from lab.bench.tables import grids
from lab.bench.targets import standing

MEANING = """\
- **ours**: six services, as in production; **bare**: six roles in bare pika and psycopg2, with the same queues, batches,
  rows and messages, inbox, outbox, confirms and acks, and nothing around them (`lab/bench/bare`). Both have a process for
  each service, run on the same RabbitMQ and PostgreSQL, and are measured in turn, the other one stopped.
- **drain**: orders accepted while nobody works on them, then settled by all; **steady middle**: from the first fifth of
  them to the last. **closed N**: N clients, each placing its next order when the last is settled. **half load**: orders
  coming at half the rate of the busiest closed loop; their time counts from when they were due. **accept**: `POST /orders`
  by 16 clients while only the order service runs.
- **ratio**: ours by bare of the same round; the median of all rounds, the least and the most.
- **ms**: processor time of all processes of that kind per order, user and system; the load's own is not in it.
- **transactions**: those that wrote; **statements**: those that `pg_stat_statements` counted, without BEGIN and COMMIT;
  **messages**, **copies**: those the broker received and delivered. The bare program leaves out what only ours
  checks or reads again."""


def page(results: Results, plots: Sequence[str], questions: Sequence[str] = ()) -> str:
    """The whole benchmark in Markdown; ``plots`` are the pictures beside it, ``questions`` the pages of ``--only``."""
    parts = ["# Benchmarks", "\n".join(f"- {line}" for line in results.circumstances), _plan(results)]
    if (targets := standing(results)).rows:
        parts += ["## Targets", targets.markdown()]
    for title, grid in grids(results).items():
        parts += [f"## {title}", grid.markdown()]
    parts += [f"![{plot.removesuffix('.svg')}]({plot})" for plot in plots]
    if questions:
        parts.append("Measured by themselves: " + ", ".join(f"[{name}]({name}.md)" for name in questions) + ".")
    return "\n\n".join([*parts, "## What the words mean", MEANING]) + "\n"


def short(results: Results) -> str:
    """The few figures a page has room for, in Markdown."""
    return "\n\n".join([standing(results).markdown(), f"{_plan(results)} {'; '.join(results.circumstances[1:3])}."])


def _plan(results: Results) -> str:
    plan = results.plan
    rounds = f"{plan.rounds} rounds" if plan.rounds > 1 else "one round"
    more = f", {plan.rows:,} settled orders there before" if plan.rows else ""
    more += "".join(f", {number} instances of {service}" for service, number in plan.scale.items())
    return (f"{rounds.capitalize()}, ours and bare in turn; {plan.orders:,} orders in each drain, {plan.looped():,} in each"
            f" closed loop{more}. Every order was a success, and all was booked, after each measurement.")
