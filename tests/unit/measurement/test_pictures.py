"""Pictures lie in the event log of every run, and are drawn in pods whose file system can't be written.

Without these tests they would bloat the database of events, differ between two drawings of one model, or fail the
metrics of a good model because a font cache can't be made.
"""

import base64
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from matplotlib.patches import Rectangle
from PIL import Image

from credit_assets.measurement.pictures import (
    draw_calibration,
    draw_confusion,
    draw_importance,
    draw_roc,
    embed_picture,
    render_png,
)
from credit_assets.measurement.scores import compute_curves, compute_scores

LONG_NAMES = ["".join(letters) for letters in np.random.default_rng(1).choice(list("abdeghkmqsw_ABGMQRSW"), (40, 63))]


def draw(seed: int = 0) -> dict[str, bytes]:
    """The four pictures of a made-up model on a thousand loans."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(1.3, 4, 1_000)
    outcome = (rng.random(1_000) < probability).astype("int8")
    scores, drawn = compute_scores(outcome, probability), compute_curves(outcome, probability)
    figures = {
        "roc": draw_roc(drawn["roc"], scores.roc_auc),
        "calibration": draw_calibration(drawn["calibration"], scores.brier),
        "confusion": draw_confusion(scores),
        "importance": draw_importance(["income", "loan_amount", "age"], [0.2, 0.7, 0.1]),
    }
    return {name: render_png(figure) for name, figure in figures.items()}


def draw_plain() -> str:
    """Two of the pictures, of figures that take no other library to make; their digests."""
    half = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]}
    figures = draw_roc(half, 0.75), draw_importance(["income", "loan_amount"], [0.6, 0.4])
    return " ".join(hashlib.sha256(render_png(figure)).hexdigest() for figure in figures)


def colours(png: bytes) -> int:
    return len(Image.open(io.BytesIO(png)).convert("RGB").getcolors(1 << 24) or [])


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return draw()


@pytest.mark.parametrize("name", ["roc", "calibration", "confusion", "importance"])
def test_a_picture_is_a_small_png_of_one_size_on_light_ground_and_not_blank(drawn, name):
    image = Image.open(io.BytesIO(drawn[name]))
    assert (image.format, image.size) == ("PNG", (432, 360))
    assert image.convert("RGB").getpixel((0, 0)) == (255, 255, 255)
    assert colours(drawn[name]) > 3
    assert len(drawn[name]) <= 12 * 1024


def test_the_largest_pictures_stay_within_12_kilobytes(drawn):
    steps = {
        "false_positive_rate": [each // 2 / 50 for each in range(101)],
        "true_positive_rate": [(each + 1) // 2 / 50 for each in range(101)],
    }
    zigzag = [{"predicted": each / 10 + 0.05, "observed": each % 2, "rows": 9} for each in range(10)]
    rng = np.random.default_rng(2)
    outcome = rng.integers(0, 2, 300_000)
    figures = [
        draw_roc(steps, 0.5),
        draw_calibration(zigzag, 0.25),
        draw_confusion(compute_scores(outcome, rng.random(300_000))),
        draw_importance(LONG_NAMES, rng.random(40).tolist()),
    ]
    largest = [render_png(figure) for figure in figures]
    assert max(map(len, largest)) <= 12 * 1024
    # Long names fit for their fewer colours only; names of ordinary length need no such sacrifice.
    assert colours(largest[3]) == 4
    assert colours(largest[1]) == colours(drawn["importance"]) == 16


def test_the_same_input_gives_the_same_bytes_and_another_input_others(drawn):
    assert draw() == drawn
    other = draw(seed=1)
    assert all(other[name] != drawn[name] for name in ("roc", "calibration", "confusion"))


def test_a_picture_says_nothing_of_when_or_by_what_it_was_drawn(drawn):
    for png in drawn.values():
        assert not Image.open(io.BytesIO(png)).info
        assert all(chunk not in png for chunk in (b"tEXt", b"iTXt", b"zTXt", b"tIME", b"Software", b"atplotlib"))


def test_neither_a_home_that_can_not_be_written_nor_the_settings_found_there_change_a_byte(tmp_path):
    (tmp_path / "home").write_text("a file, where a folder can't be made even by root")
    (tmp_path / "matplotlibrc").write_text(
        "font.family: serif\ntext.color: red\naxes.facecolor: black\naxes.grid: True\nlines.linewidth: 9\n"
    )
    script = (
        "import sys; sys.path.insert(0, sys.argv[1]); from test_pictures import draw_plain; print(draw_plain()); "
        "print('matplotlib.pyplot' in sys.modules)"
    )
    configured = {"MPLCONFIGDIR", "MATPLOTLIBRC", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"}
    environment = {name: value for name, value in os.environ.items() if name not in configured}
    environment |= {"HOME": str(tmp_path / "home"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script, str(Path(__file__).parent)],
        cwd=tmp_path,  # matplotlib reads its settings from here first
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "temporary cache directory" in done.stderr  # the home was in fact of no use
    digests, pyplot = done.stdout.splitlines()
    assert digests == draw_plain()
    assert pyplot == "False"


def test_importances_are_ranked_and_only_the_first_twelve_are_drawn():
    names, values = [f"feature_{each}" for each in range(15)], [each / 105 for each in range(15)]
    full = render_png(draw_importance(names, values))
    assert render_png(draw_importance(names[::-1], values[::-1])) == full
    assert render_png(draw_importance(["other", *names[1:]], values)) == full
    assert render_png(draw_importance([*names[:-1], "other"], values)) != full


def test_a_model_that_learned_nothing_can_be_drawn():
    assert render_png(draw_importance(["income"], [0.0]))
    assert render_png(draw_calibration([{"predicted": 0.0, "observed": 0.0, "rows": 200}], 0.0))


def test_names_and_importances_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="zip"):
        draw_importance(["income", "age"], [1.0])


def get_axes(figure):
    (axes,) = figure.axes
    return axes


def get_texts(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


HALF = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]}


def test_the_roc_curve_names_its_axes_which_go_from_0_to_1():
    axes = get_axes(draw_roc(HALF, 0.75))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("False positive rate", "True positive rate")
    assert axes.get_title(loc="left") == "ROC, AUC 0.75"
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, 1), (0, 1))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0", "0.25", "0.5", "0.75", "1"]
    diagonal, curve = axes.lines
    assert (np.asarray(diagonal.get_xdata()).tolist(), np.asarray(diagonal.get_ydata()).tolist()) == ([0, 1], [0, 1])
    assert (np.asarray(curve.get_xdata()).tolist(), np.asarray(curve.get_ydata()).tolist()) == tuple(HALF.values())


@pytest.mark.parametrize(("greatest", "limit"), [(0.07, 0.1), (0.1, 0.1), (0.31, 0.4), (0.81, 1.0), (1.0, 1.0)])
def test_the_calibration_names_its_axes_which_are_alike_and_end_behind_the_greatest_point(greatest, limit):
    bins = [
        {"predicted": 0.05, "observed": greatest, "rows": 20},
        {"predicted": greatest, "observed": 0.02, "rows": 20},
    ]
    axes = get_axes(draw_calibration(bins, 0.2))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Mean predicted probability", "Observed share of defaults")
    assert (axes.get_xlim(), axes.get_ylim()) == ((0, limit), (0, limit))
    assert float(axes.get_yticklabels()[-1].get_text()) == limit
    assert np.asarray(axes.lines[1].get_xdata()).tolist() == [0.05, greatest]
    assert np.asarray(axes.lines[1].get_ydata()).tolist() == [greatest, 0.02]


def test_the_confusion_matrix_names_its_rows_and_columns_and_counts_each_loan_where_it_belongs():
    outcome = np.array([0] * 6 + [1] * 4)
    probability = np.array([0.1] * 5 + [0.9] + [0.2] + [0.8] * 3)
    axes = get_axes(draw_confusion(compute_scores(outcome, probability)))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("Predicted", "Actual")
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ["repaid", "default"]
    assert axes.get_ylim() == (2, 0), "what was repaid stands in the first row"
    cells = {tuple(np.floor(text.get_position()).astype(int)): [] for text in axes.texts}
    for text in axes.texts:
        cells[tuple(np.floor(text.get_position()).astype(int))].append(text.get_text())
    assert cells == {(0, 0): ["5", "83%"], (1, 0): ["1", "17%"], (0, 1): ["1", "25%"], (1, 1): ["3", "75%"]}


def test_importances_are_bars_from_0_to_the_greatest_each_with_its_name():
    axes = get_axes(draw_importance(["income", "loan_amount", "age"], [0.2, 0.7, 0.1]))
    assert axes.get_xlabel() == "Mean decrease in impurity, sum 1"
    assert axes.get_title(loc="left") == "Feature importance"
    assert axes.get_xlim() == (0, 0.7)
    low, high = axes.get_ylim()
    assert low > high, "the greatest is on top"
    assert get_texts(axes) == ["0.70  loan amount", "0.20  income", "0.10  age"]
    assert [bar.get_width() for bar in axes.patches if isinstance(bar, Rectangle)] == [0.7, 0.2, 0.1]


def test_markdown_holds_the_very_picture(drawn):
    text = embed_picture(drawn["roc"], "ROC curve")
    head, _, encoded = text.removesuffix(")").partition(",")
    assert head == "![ROC curve](data:image/png;base64"
    assert base64.b64decode(encoded, validate=True) == drawn["roc"]


def test_a_name_of_a_column_is_drawn_as_it_is_and_never_as_a_formula() -> None:
    names = ["$a_b$ and $", "$\\frac{$", "收入", "two\nlines"]
    figure = draw_importance(names, [0.4, 0.3, 0.2, 0.1])
    assert len(render_png(figure)) <= 12 * 1024
    drawn = [text.get_text() for text in figure.axes[0].texts]
    assert drawn == ["0.40  $a b$ and $", "0.30  $\\frac{$", "0.20  收入", "0.10  two lines"]
