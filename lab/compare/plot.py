"""The comparison as a picture: how long orders take, what an outage does to them, what they cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lab.compare.result import Comparison
from patterns.errors import OrderflowError

COLOURS = {
    "rpc": "#0072b2", "default": "#e69f00", "fanout": "#009e73", "direct": "#cc79a7", "topic": "#56b4e9", "saga": "#d55e00",
}
"""Okabe and Ito's, which colour-blind people tell apart: https://jfly.uni-koeln.de/color/"""


class NoPlot(OrderflowError):
    """Plots need Matplotlib: pip install 'orderflow[lab]' (in the repository: .venv/bin/pip install -e '.[lab]')."""


def draw(comparison: Comparison, path: Path) -> None:
    """Write the picture as SVG.  Raises NoPlot where Matplotlib is not installed."""
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError as error:
        raise NoPlot(NoPlot.__doc__) from error
    # Text stays text, and the same figures give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "orderflow", "font.family": "sans-serif"}):
        panels = (_latencies, _outage, _costs) if comparison.outage else (_latencies, _costs)
        figure = Figure(figsize=(5.2 * len(panels), 4), layout="constrained")
        for axes, panel in zip(figure.subplots(1, len(panels)), panels, strict=True):
            panel(axes, comparison)
        figure.savefig(path, format="svg", metadata={"Date": None})


def _latencies(axes: Any, comparison: Comparison) -> None:
    for mode, one in comparison.calm.items():
        times = sorted(one.latencies)
        shares = [100 * (number + 1) / len(times) for number in range(len(times))]
        axes.step(times, shares, where="post", label=mode, color=COLOURS.get(mode))
    axes.set(title="From request to settled", xlabel="milliseconds", ylabel="% of orders", xlim=(0, None), ylim=(0, 100))
    axes.legend(loc="lower right", frameon=False)


def _outage(axes: Any, comparison: Comparison) -> None:
    away, down = max(one.seconds for one in comparison.outage.values()), comparison.plan.down
    for mode, one in comparison.outage.items():
        times = [-one.seconds, *(at - one.seconds for at in one.settled_at)]
        axes.step(times, range(len(times)), where="post", label=mode, color=COLOURS.get(mode))
    axes.axvspan(-away, 0, color="#dddddd", zorder=0)
    axes.annotate(f"{down} is away", xy=(-away / 2, 0.96), xycoords=("data", "axes fraction"), ha="center", va="top")
    title = "Orders settled, before and after"
    axes.set(title=title, xlabel=f"seconds since {down} is back", ylabel="orders", xlim=(-away, None), ylim=(0, None))


def _costs(axes: Any, comparison: Comparison) -> None:
    modes = list(comparison.calm)
    kinds = (("messages", "#4477aa"), ("copies", "#99bbdd"), ("transactions", "#ccbb44"))
    for number, (kind, colour) in enumerate(kinds):
        places = [place + (number - 1) * 0.27 for place in range(len(modes))]
        axes.bar(places, [getattr(comparison.calm[mode], kind) for mode in modes], 0.25, label=kind, color=colour)
    axes.set(title="What an order costs", ylabel="per order", xticks=range(len(modes)), xticklabels=modes)
    axes.legend(frameon=False)
