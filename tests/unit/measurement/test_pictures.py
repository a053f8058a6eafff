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
from PIL import Image

from credit_assets.measurement import pictures
from credit_assets.measurement.scores import compute_curves, compute_scores

LONG_NAMES = ["".join(letters) for letters in np.random.default_rng(1).choice(list("abdeghkmqsw_ABGMQRSW"), (40, 63))]


def draw(seed: int = 0) -> dict[str, bytes]:
    """The four pictures of a model with random scores on a thousand loans."""
    rng = np.random.default_rng(seed)
    probability = rng.beta(1.3, 4, 1_000)
    outcome = (rng.random(1_000) < probability).astype("int8")
    scores, drawn = compute_scores(outcome, probability), compute_curves(outcome, probability)
    return {
        "roc": pictures.draw_roc(drawn["roc"], scores.roc_auc),
        "calibration": pictures.draw_calibration(drawn["calibration"], scores.brier),
        "confusion": pictures.draw_confusion(scores),
        "importance": pictures.draw_importance(["income", "loan_amount", "age"], [0.2, 0.7, 0.1]),
    }


def draw_plain() -> str:
    """Two of the pictures, of figures that take no other library to make; their digests."""
    half = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.7, 1.0]}
    pngs = pictures.draw_roc(half, 0.75), pictures.draw_importance(["income", "loan_amount"], [0.6, 0.4])
    return " ".join(hashlib.sha256(png).hexdigest() for png in pngs)


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
    largest = [
        pictures.draw_roc(steps, 0.5),
        pictures.draw_calibration(zigzag, 0.25),
        pictures.draw_confusion(compute_scores(outcome, rng.random(300_000))),
        pictures.draw_importance(LONG_NAMES, rng.random(40).tolist()),
    ]
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
    full = pictures.draw_importance(names, values)
    assert pictures.draw_importance(names[::-1], values[::-1]) == full
    assert pictures.draw_importance(["other", *names[1:]], values) == full
    assert pictures.draw_importance([*names[:-1], "other"], values) != full


def test_a_model_that_learned_nothing_can_be_drawn():
    assert pictures.draw_importance(["income"], [0.0])
    assert pictures.draw_calibration([{"predicted": 0.0, "observed": 0.0, "rows": 200}], 0.0)


def test_names_and_importances_that_do_not_pair_are_refused():
    with pytest.raises(ValueError, match="zip"):
        pictures.draw_importance(["income", "age"], [1.0])


def test_markdown_holds_the_very_picture(drawn):
    text = pictures.embed_picture(drawn["roc"], "ROC curve")
    head, _, encoded = text.removesuffix(")").partition(",")
    assert head == "![ROC curve](data:image/png;base64"
    assert base64.b64decode(encoded, validate=True) == drawn["roc"]
