"""A short verdict on each mode, drawn from the figures of this comparison and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.compare.result import Calm, Comparison, Outage
from lab.compare.tables import names, span


@dataclass(frozen=True)
class Contest:
    """One figure in which modes are held against each other; less is better, and an empty ``best`` is not worth a word.

    ``noise`` is the share, and ``least`` the amount, by which two figures must differ to count as different.
    """

    best: str
    worst: str
    show: Callable[[float], str]
    noise: float
    least: float = 0.0

    def places(self, figures: Mapping[str, float]) -> dict[str, str]:
        """What this figure says of each mode at an end of the field; nothing where most share the place."""
        low, high = min(figures.values()), max(figures.values())
        if high <= low + max(self.least, low * self.noise):
            return {}
        ends = {
            self.best: [mode for mode, figure in figures.items() if figure <= low + max(self.least, low * self.noise)],
            self.worst: [mode for mode, figure in figures.items() if figure >= high - max(self.least, high * self.noise)],
        }
        said: dict[str, str] = {}
        for words, modes in ends.items():
            for mode in modes if words and 2 * len(modes) <= len(figures) else ():
                others = [other for other in modes if other != mode]
                beside = f", beside {names(others)}" if others else ""
                said[mode] = f"{words} ({self.show(figures[mode])}{beside})"
        return said


def _each(number: float) -> str:
    return f"{number:.1f} an order"


CALM: tuple[tuple[Callable[[Calm], float], Contest], ...] = (
    (lambda one: one.messages, Contest("fewest messages", "most messages", _each, 0.01)),
    (lambda one: one.ignored, Contest("", "most copies for nothing", _each, 0.01, 0.5)),
    (lambda one: one.transactions, Contest("fewest transactions", "most transactions", _each, 0.1)),
    (lambda one: one.bytes, Contest("fewest bytes", "most bytes", lambda number: f"{number:,.0f} an order", 0.02)),
    (lambda one: one.settled.p50, Contest("quickest to settle", "slowest to settle", span, 0.3, 5)),
)

OUTAGE: tuple[tuple[Callable[[Outage], float], Contest], ...] = (
    (lambda one: one.answered.p50, Contest("", "its clients wait longest for an answer", span, 0.5, 100)),
    (lambda one: one.again, Contest("", "most messages said again", lambda number: f"{number:.0f}", 0.1)),
    (lambda one: one.recovery_seconds,
     Contest("first to have settled all", "last to have settled all", lambda seconds: f"{seconds:.2f} s", 0.3, 0.5)),
)


def verdicts(comparison: Comparison) -> dict[str, str]:
    """For each mode some sentences, each with the figure it stands on."""
    said = {mode: [_client(mode, comparison)] for mode in comparison.calm}
    for figure, contest in CALM:
        for mode, words in contest.places({mode: figure(one) for mode, one in comparison.calm.items()}).items():
            said[mode].append(words)
    spoken = {mode: _sentence(parts) for mode, parts in said.items()}
    for mode, one in comparison.outage.items():
        away = [_away(one)]
        for outage_figure, contest in OUTAGE:
            figures = {each: outage_figure(other) for each, other in comparison.outage.items()}
            away += [words for each, words in contest.places(figures).items() if each == mode]
        spoken[mode] += f" With {comparison.plan.down} away: {_lower(_sentence(away))}"
    return spoken


def _client(mode: str, comparison: Comparison) -> str:
    """What its client gets to know, and when."""
    one = comparison.calm[mode]
    if one.final_answers < 0.5:
        return f"its client is told 202 and looks again {one.polls:.1f} times"
    others = [other for each, other in comparison.calm.items() if each != mode]
    alone = others and all(other.final_answers < 0.5 for other in others)
    only = "the only one whose client gets" if alone else "its client gets"
    return f"{only} the ending in the answer ({one.final_answers:.0%} of orders, after {span(one.answered.p50)})"


def _away(one: Outage) -> str:
    refused = f"{one.refused} of {one.asked} orders refused at first, " if one.refused else ""
    ending = f"told the ending {one.final} of {one.asked} times, " if one.final else ""
    back = f"all settled {one.recovery_seconds:.2f} s after it was back"
    return f"{refused}{ending}answered after {span(one.answered.p50)} (at most {span(one.answered.most)}); {back}"


def _sentence(parts: list[str]) -> str:
    text = "; ".join(parts)
    return text[0].upper() + text[1:] + "."


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
