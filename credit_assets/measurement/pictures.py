"""Small pictures of the metrics for the event log: figures of matplotlib, and PNG bytes of at most 12 KB.

The same input gives the same bytes: no clock, no name of the software, and the font that matplotlib brings, whichever
fonts and settings the machine has. No global state of matplotlib is read for style or changed.
"""

import base64
import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from credit_assets.measurement.scores import Scores

LIMIT_BYTES = 12 * 1024
COLOURS = (16, 8, 4)
FEATURES, NAME_LENGTH = 12, 40

# Light in a light and in a dark page; large enough letters to be read when a page shows it 320 pixels wide.
INCHES, DOTS_PER_INCH = (4.8, 4.0), 90
PAPER, INK, MUTED, LINES, BLUE, PALE = "#ffffff", "#1f2733", "#5b6675", "#dde2e8", "#2563b8", "#d6e4f5"
TITLE, TEXT = 15, 12


def draw_roc(roc: Mapping[str, Sequence[float]], auc: float) -> "Figure":
    """The ROC curve, as `scores.compute_curves` gives it, over the diagonal of a ranking by chance."""
    figure, axes = _page(f"ROC, AUC {auc:.2f}", "False positive rate", "True positive rate")
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1.2, linestyle="--")
    axes.fill_between(roc["false_positive_rate"], roc["true_positive_rate"], color=PALE, linewidth=0)
    axes.plot(roc["false_positive_rate"], roc["true_positive_rate"], color=BLUE, linewidth=2.2)
    _square(axes, 1.0)
    return figure


def draw_calibration(bins: Sequence[Mapping[str, float]], brier: float) -> "Figure":
    """Observed against predicted share of defaults, as `scores.compute_curves` gives it; on the diagonal they agree."""
    figure, axes = _page(f"Calibration, Brier {brier:.2f}", "Mean predicted probability", "Observed share of defaults")
    predicted, observed = [each["predicted"] for each in bins], [each["observed"] for each in bins]
    axes.plot((0, 1), (0, 1), color=MUTED, linewidth=1.2, linestyle="--")
    axes.plot(predicted, observed, color=BLUE, linewidth=2.2, marker="o", markersize=7, clip_on=False)
    greatest = max(*predicted, *observed)
    _square(axes, next(limit for limit in (0.1, 0.2, 0.4, 0.6, 0.8, 1.0) if greatest <= limit))
    return figure


def draw_confusion(scores: "Scores") -> "Figure":
    """The confusion matrix: loans, and their share of those with the same outcome, which is also the shade."""
    figure, axes = _page(f"Confusion matrix, accuracy {scores.accuracy:.2f}", "Predicted", "Actual")
    counts = (
        (scores.true_negatives, scores.false_positives),
        (scores.false_negatives, scores.true_positives),
    )
    shares = [[count / sum(row) for count in row] for row in counts]
    axes.grid(visible=False)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors=PAPER, linewidth=4)
    for y, row in enumerate(counts):
        for x, count in enumerate(row):
            colour = PAPER if shares[y][x] > 0.65 else INK
            axes.text(x + 0.5, y + 0.45, f"{count:,}", color=colour, fontsize=20, ha="center", va="center")
            axes.text(x + 0.5, y + 0.68, f"{shares[y][x]:.0%}", color=colour, fontsize=TEXT, ha="center", va="center")
    axes.set_xticks((0.5, 1.5), ("repaid", "default"))
    axes.set_yticks((0.5, 1.5), ("repaid", "default"), rotation=90, va="center")
    axes.set_ylim(2, 0)
    return figure


def draw_importance(names: Sequence[str], importances: Sequence[float]) -> "Figure":
    """The greatest importances, at most 12: the value and the name of the feature, which may be long, above its bar."""
    ranked = sorted(zip(importances, names, strict=True), key=lambda pair: (-pair[0], pair[1]))[:FEATURES]
    title = "Feature importance" + (f", first {FEATURES} of {len(names)}" if len(names) > FEATURES else "")
    figure, axes = _page(title, "Mean decrease in impurity, sum 1", "")
    axes.set_position((0.04, 0.10, 0.92, 0.80))
    rows = range(len(ranked))
    axes.barh(rows, [value for value, _ in ranked], height=0.26, color=BLUE)
    for row, (value, name) in zip(rows, ranked, strict=True):
        label = name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"
        text = f"{value:.2f}  {' '.join(label.replace('_', ' ').split())}"
        # A `$` in a name begins no formula.
        axes.text(0, row - 0.2, text, color=INK, fontsize=11, va="bottom", parse_math=False)
    axes.set(xticks=(), yticks=(), xlim=(0, ranked[0][0] or 1), ylim=(max(len(ranked), 4) - 0.7, -0.9))
    return figure


def embed_picture(png: bytes, alt: str) -> str:
    """The picture as Markdown that holds it, for the metadata of an event."""
    return f"![{alt}](data:image/png;base64,{base64.b64encode(png).decode()})"


def _page(title: str, x: str, y: str) -> "tuple[Figure, Axes]":
    from matplotlib.figure import Figure

    figure = Figure(figsize=INCHES, dpi=DOTS_PER_INCH, facecolor=PAPER)
    axes = figure.add_axes((0.16, 0.14, 0.80, 0.76), facecolor=PAPER)
    axes.set_title(title, loc="left", fontsize=TITLE, color=INK, pad=9)
    axes.set_xlabel(x, fontsize=TEXT, color=INK)
    axes.set_ylabel(y, fontsize=TEXT, color=INK)
    axes.tick_params(labelsize=TEXT - 1, labelcolor=MUTED, length=0, pad=6)
    axes.grid(visible=True, color=LINES, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    return figure, axes


def _square(axes: "Axes", limit: float) -> None:
    ticks = [limit * quarter / 4 for quarter in range(5)]
    axes.set_xticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.set_yticks(ticks, [f"{tick:.3g}" for tick in ticks])
    axes.set_xlim(0, limit)
    axes.set_ylim(0, limit)


def render_png(figure: "Figure") -> bytes:
    """The figure as the bytes of a PNG file, at most 12 KB: with fewer colours if it has to be."""
    import warnings
    from pathlib import Path

    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text
    from PIL import Image

    font = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    for text in figure.findobj(Text):
        text.set_fontproperties(FontProperties(fname=font, size=text.get_fontsize()))
    canvas = FigureCanvasAgg(figure)
    with warnings.catch_warnings():
        # The name of a column may have letters that the font lacks. They are drawn as boxes.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font", category=UserWarning)
        canvas.draw()
    drawn = Image.frombuffer("RGBA", canvas.get_width_height(), bytes(canvas.buffer_rgba())).convert("RGB")
    # Fewer colours only make letters rougher; a page full of long names needs that to stay within the limit.
    png = b""
    for colours in COLOURS:
        file = io.BytesIO()
        drawn.quantize(colours, dither=Image.Dither.NONE).save(file, "PNG", optimize=True)
        png = file.getvalue()
        if len(png) <= LIMIT_BYTES:
            break
    return png
