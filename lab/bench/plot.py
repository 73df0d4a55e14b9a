"""The benchmark as pictures: throughput against clients, times, and what an order costs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.bench.result import BARE, OURS, Results, loop_name
from lab.bench.tables import SPLIT, costed
from lab.compare.plot import COLOURS, NoPlot

PERCENTILES = (5, 10, 25, 50, 75, 90, 95, 99)
STYLES = {OURS: "-", BARE: ":"}


def draw(results: Results, folder: Path) -> list[Path]:
    """Write the pictures that there are figures for, as SVG.  Raises NoPlot where Matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlot(NoPlot.__doc__) from error
    drawn = []
    # Text stays text, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "orderflow", "font.family": "sans-serif"}):
        for name, picture in PICTURES.items():
            figure = Figure(figsize=(7, 4.2), layout="constrained")
            if picture(figure.subplots(), results):
                drawn.append(folder / f"{name}.svg")
                figure.savefig(drawn[-1], format="svg", metadata={"Date": None})
    return drawn


def _throughput(axes: Any, results: Results) -> bool:
    clients, any_drawn = sorted(results.plan.clients), False
    for mode in results.rounds:
        for team, style in STYLES.items():
            rates = [results.median(mode, loop_name(number), team, "orders_per_second") for number in clients]
            if None not in rates:
                axes.plot(clients, rates, style, marker="o", color=COLOURS.get(mode), label=f"{mode}, {team}")
                any_drawn = True
    axes.set(title="Closed loop over HTTP", xlabel="clients", ylabel="orders per second", ylim=(0, None))
    axes.set_xscale("log", base=2)
    axes.set_xticks(clients, map(str, clients))
    if any_drawn:
        axes.legend(frameon=False, fontsize="small", ncols=2)
    return any_drawn


def _times(axes: Any, results: Results) -> bool:
    what, any_drawn = loop_name(16 if 16 in results.plan.clients else max(results.plan.clients)), False
    for mode in results.rounds:
        for team, style in STYLES.items():
            times = [results.median(mode, what, team, f"p{share}_ms") for share in PERCENTILES]
            if None not in times:
                axes.plot(times, PERCENTILES, style, color=COLOURS.get(mode), label=f"{mode}, {team}")
                any_drawn = True
    axes.set(title=f"From POST to settled, {what}", xlabel="milliseconds", ylabel="% of orders", xlim=(0, None))
    if any_drawn:
        axes.legend(loc="lower right", frameon=False, fontsize="small", ncols=2)
    return any_drawn


def _costs(axes: Any, results: Results) -> bool:
    modes = [mode for mode in results.rounds if costed(results, mode)]
    colours = dict(zip(SPLIT, ("#4477aa", "#ccbb44", "#99bbdd"), strict=True))
    for place, team in ((-0.2, OURS), (0.2, BARE)):
        below = [0.0] * len(modes)
        for who in SPLIT:
            parts = [results.median(mode, costed(results, mode), team, f"cpu_ms_{who}") or 0.0 for mode in modes]
            axes.bar([number + place for number in range(len(modes))], parts, 0.36, bottom=below, color=colours[who],
                     label=who if team == OURS else None, hatch="//" if team == BARE else None, edgecolor="white")
            below = [height + part for height, part in zip(below, parts, strict=True)]
    axes.set(title="Processor time of an order (hatched: bare)", ylabel="ms", xticks=range(len(modes)), xticklabels=modes)
    axes.legend(frameon=False)
    return bool(modes)


PICTURES: dict[str, Callable[[Any, Results], bool]] = {"throughput": _throughput, "times": _times, "costs": _costs}
"""Each by its name; whether there were figures for it."""
