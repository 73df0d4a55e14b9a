"""The comparison as a page: tables, verdicts, circumstances."""

from __future__ import annotations

from lab.compare.result import Comparison
from lab.compare.tables import calm_table, endings, outage_table, short_table
from lab.compare.verdict import verdicts
from lab.machine import circumstances

TIMES = (
    "All counts are per order. Transactions are fewer where messages come together and share one. Times hold for this "
    "machine and this run: six services, their clients and the measuring share one Python process."
)

MEANING = """\
- **messages**: published, answers included; **copies**: heard by services, in brackets those that meant nothing to them
- **transactions**: commits for orders, counted where they are made; **bytes**: bodies, headers and addresses published
- **first answer**: what `POST /orders` was answered (201: the ending, 202: look again); **looks again**: every 50 ms
- **answered**, **settled**: from the client's request to its answer, and to the order's ending; half of all, and 95 %
- **asked meanwhile**: orders placed while the service was away, evenly, whether those before were answered or not
- **said again**: requests and messages published once more; **all settled after**: the service was started again"""


def page(comparison: Comparison, plot: str | None) -> str:
    """The whole comparison in Markdown; ``plot`` is where its picture is, if there is one."""
    plan = comparison.plan
    clients = f"{plan.clients} clients at once" if plan.clients > 1 else "one client"
    parts = [
        "\n".join(f"- {line}" for line in circumstances(comparison.place)),
        outcome(comparison),
        "### What an order costs",
        f"{plan.orders} orders, {clients}, after {_warm_up(comparison)}. {TIMES}",
        calm_table(comparison).markdown(),
    ]
    if comparison.outage:
        parts += [f"### While {plan.down} is away", _outage(comparison), outage_table(comparison).markdown()]
    parts += ["### Verdict", "\n".join(f"- **{mode}**: {words}" for mode, words in verdicts(comparison).items())]
    parts += [f"![Times, outage and costs by mode]({plot})"] if plot else []
    return "\n\n".join(parts)


def short(comparison: Comparison) -> str:
    """The few figures a page has room for, in Markdown."""
    what = "same balances, stock and statuses in the end" if comparison.equal else "**not** the same state in the end"
    where = f"{comparison.plan.orders} orders in each mode, {comparison.place}"
    note = f"{where}: {what}. Counts are per order, times those of one machine."
    return f"{short_table(comparison).markdown()}\n\n{note}"


def outcome(comparison: Comparison) -> str:
    """How it ended, and whether every mode ended in the same state."""
    lines = [f"- {line}" for line in endings(comparison)]
    if comparison.equal:
        equal = "Every mode ended with the same balances, stock and statuses, those foreseen, and every promise is kept."
        return "\n".join([f"**{equal}**", "", *lines])
    wrong = [f"- {line}" for line in (*comparison.differences, *comparison.wrong)]
    return "\n".join(["**The modes did not end in the same state, or not in the one foreseen:**", "", *wrong, "", *lines])


def _warm_up(comparison: Comparison) -> str:
    from lab.compare.workload import WARM_UP

    places = "for each mode" if len(comparison.calm) > 1 else "for the mode"
    return f"{WARM_UP} to warm up, in a fresh shop {places}"


def _outage(comparison: Comparison) -> str:
    cancelled = max(one.cancelled for one in comparison.outage.values())
    over = f"The same orders, placed evenly over {comparison.plan.outage_seconds:g} s"
    if not cancelled:
        return f"{over} while it is away; then it is started again."
    return f"{over}; {cancelled} of them are cancelled. When all who cancel have their answer, it is started again."
