"""The tables of a comparison, made once for the screen and for the pages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from lab.compare.figures import Spread
from lab.compare.result import Calm, Comparison, Outage


@dataclass(frozen=True)
class Grid:
    """A table: headings, and a row of texts for each mode."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]

    def markdown(self) -> str:
        """The table in Markdown; numbers to the right."""
        lines = [self.headings, (" --- ", *[" ---: "] * (len(self.headings) - 1)), *self.rows]
        return "\n".join("|" + "|".join(cell if "---" in cell else f" {cell} " for cell in line) + "|" for line in lines)


CALM: tuple[tuple[str, Callable[[Calm], str]], ...] = (
    ("messages", lambda one: f"{one.messages:.1f}"),
    ("copies (ignored)", lambda one: f"{one.copies:.1f} ({one.ignored:.1f})"),
    ("transactions", lambda one: f"{one.transactions:.1f}"),
    ("bytes", lambda one: f"{one.bytes:,}"),
    ("first answer", lambda one: _codes(one)),
    ("looks again", lambda one: f"{one.polls:.1f}"),
    ("answered p50 / p95", lambda one: between(one.answered)),
    ("settled p50 / p95", lambda one: between(one.settled)),
)

OUTAGE: tuple[tuple[str, Callable[[Outage], str]], ...] = (
    ("away", lambda one: f"{one.seconds:.1f} s"),
    ("asked meanwhile", lambda one: str(one.asked)),
    ("told the ending", lambda one: str(one.final)),
    ("told 202", lambda one: str(one.accepted)),
    ("refused at first", lambda one: str(one.refused)),
    ("answered p50 / most", lambda one: f"{span(one.answered.p50)} / {span(one.answered.most)}"),
    ("said again", lambda one: str(one.again)),
    ("settled meanwhile", lambda one: str(one.settled_meanwhile)),
    ("all settled after", lambda one: f"{one.recovery_seconds:.2f} s"),
)


def calm_table(comparison: Comparison) -> Grid:
    """What each mode costs: a column for each figure, per order."""
    rows = [(mode, *(show(one) for _, show in CALM)) for mode, one in comparison.calm.items()]
    return Grid(("mode", *(heading for heading, _ in CALM)), rows)


def outage_table(comparison: Comparison) -> Grid:
    """What clients of each mode saw while a service was away, and how long it took to catch up."""
    rows = [(mode, *(show(one) for _, show in OUTAGE)) for mode, one in comparison.outage.items()]
    return Grid(("mode", *(heading for heading, _ in OUTAGE)), rows)


def short_table(comparison: Comparison) -> Grid:
    """The few figures a page has room for."""
    headings = ["mode", "messages", "transactions", "bytes", "first answer", "settled p50 / p95"]
    away = f"{comparison.plan.down} away: answered p50 / most"
    headings += [away, "back: all settled after"] if comparison.outage else []
    rows = []
    for mode, one in comparison.calm.items():
        row = [mode, f"{one.messages:.1f}", f"{one.transactions:.1f}", f"{one.bytes:,}", _codes(one), between(one.settled)]
        if mode in comparison.outage:
            down = comparison.outage[mode]
            row += [f"{span(down.answered.p50)} / {span(down.answered.most)}", f"{down.recovery_seconds:.2f} s"]
        rows.append(tuple(row))
    return Grid(tuple(headings), rows)


def endings(comparison: Comparison) -> list[str]:
    """How the orders ended, and why some failed; one line for all modes that agree."""
    away = f"{comparison.plan.down} away for a while"
    return [*_endings("all services there", comparison.calm), *_endings(away, comparison.outage)]


def _endings(what: str, results: Mapping[str, Calm | Outage]) -> list[str]:
    modes: dict[str, list[str]] = {}
    for mode, one in results.items():
        ending = one.ending
        why = ", ".join(f"{number} by {event}" for event, number in sorted(ending.why_failed.items()))
        counts = ", ".join(f"{number} {status}" for status, number in ending.endings.items())
        modes.setdefault(f"{ending.settled} settled: {counts} ({why})", []).append(mode)
    alike = len(modes) == 1
    return [f"{what}, {'every mode' if alike else names(which)}: {ending}" for ending, which in modes.items()]


def between(spread: Spread) -> str:
    """A spread for people."""
    return f"{spread.p50:.0f} / {spread.p95:.0f} ms"


def span(milliseconds: float) -> str:
    """A duration for people."""
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"


def names(modes: Sequence[str]) -> str:
    """``rpc, topic and saga``."""
    return " and ".join([", ".join(modes[:-1]), modes[-1]] if len(modes) > 1 else modes)


def _codes(one: Calm) -> str:
    """What the first answer was, the most frequent code first."""
    total = sum(one.codes.values())
    shares = [code if number == total else f"{code} ({number / total:.0%})" for code, number in one.codes.items()]
    return ", ".join(shares)
