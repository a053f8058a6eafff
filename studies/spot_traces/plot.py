"""Waste and cost by market and policy, as a picture."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from credit_assets.measurement.pictures import BLUE, INK, LINES, MUTED, PALE, PAPER, TEXT, TITLE
from studies.spot_traces.report import BLOCKS, ZERO, Result
from studies.spot_traces.run import Training

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Values = Sequence[tuple[Result, float | None]]


def write_plot(groups: Sequence[tuple[Training, Sequence[Result], Result]], path: Path) -> None:
    """Writes a PNG: waste, and cost against on demand, two panels for each training.

    Args:
        groups: each a training, its results on all markets, and its result on demand.
        path: of the picture; a file there is overwritten.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    markets = list(dict.fromkeys(each.market for each in groups[0][1]))
    size = 13, len(groups) * (1.8 + 0.5 * len(markets))
    figure = Figure(figsize=size, dpi=90, facecolor=PAPER, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(len(groups), 2, squeeze=False, sharey=True)
    for (training, results, on_demand), (left, right) in zip(groups, panels, strict=True):
        wastes = [(each, each.waste) for each in results]
        draw_bars(left, f"Training of {training.work:g} s: waste", "Percent of the compute bought", wastes)
        costs = [(each, each.relative_cost(on_demand)) for each in results]
        draw_bars(right, "Cost of a completed run", "Percent of the cost on demand", costs)
        left.set_yticks(range(len(markets)), markets)
        right.set_xlim(0, max(110, right.get_xlim()[1]))
        right.axvline(100, color=MUTED, linewidth=1.2, linestyle="--")
    panels[0][0].invert_yaxis()
    handles, labels = panels[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower left", ncols=2, frameon=False, fontsize=TEXT)
    figure.savefig(path, format="png", metadata={"Software": None})


def draw_bars(axes: "Axes", title: str, label: str, values: Values) -> None:
    """Draws a bar for each value, and a text where there is no value."""
    markets = list(dict.fromkeys(each.market for each, _ in values))
    for policy, colour, shift in ((BLOCKS, BLUE, -0.2), (ZERO, PALE, 0.2)):
        chosen = {each.market: value for each, value in values if each.policy == policy}
        for row, market in enumerate(markets):
            value = chosen[market]
            axes.barh(row + shift, value or 0, height=0.36, color=colour, label=policy if row == 0 else None)
            text = " none completed" if value is None else f" {value:.1f}"
            axes.text(value or 0, row + shift, text, color=INK, fontsize=TEXT - 2, va="center")
    axes.set_title(title, loc="left", fontsize=TITLE, color=INK)
    axes.set_xlabel(label, fontsize=TEXT, color=INK)
    axes.set_facecolor(PAPER)
    axes.tick_params(labelsize=TEXT - 2, labelcolor=MUTED, length=0)
    axes.grid(visible=True, axis="x", color=LINES, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.set_xlim(0, max(10, *(1.2 * (value or 0) for _, value in values)))
    axes.spines[:].set_visible(False)
