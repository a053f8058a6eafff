"""The report of a session: a file with a line for each drill, and a table with a row for each fault.

Belongs here: how figures become rows. Does not belong here: how they are measured (`platform`).
"""

import os
import random
from pathlib import Path
from statistics import median
from typing import Any

REPORT = Path(os.environ.get("DRILL_REPORT", Path(__file__).parents[3] / "local" / "drills.jsonl"))
# How often the drills are repeated whose figures are medians.
ROUNDS = int(os.environ.get("DRILL_ROUNDS", "1"))
# Decides at which moment of a training its node loses power.
SEED = int(os.environ.get("DRILL_SEED", "1"))
COLUMNS = ("detected_after", "running_again_after", "work_lost", "steps_run_twice", "published_twice")


def draw_moment(drill_round: int, longest: float) -> float:
    """Draws how many seconds later than usual a fault strikes, up to the longest time."""
    return random.Random(f"{SEED} {drill_round}").uniform(0, longest)


def make_table(lines: list[dict[str, Any]]) -> list[str]:
    """The rows of the table, one for each fault, in the order of the drills.

    A cell has the median of the rounds, and the worst if there were several rounds. A figure that only some drills
    measure has a column only if one of these drills ran.
    """
    columns = list(dict.fromkeys([*COLUMNS, *(name for line in lines for name in line if name != "fault")]))
    rows = [["fault", *columns]]
    for fault in dict.fromkeys(line["fault"] for line in lines):
        measured = [line for line in lines if line["fault"] == fault]
        rows.append([fault, *(_format_cell([line[name] for line in measured if name in line]) for name in columns)])
    return [" | ".join(row) for row in rows]


def _format_cell(figures: list[float]) -> str:
    if not figures:
        return "–"
    middle = f"{median(figures):g}"
    return middle if len(figures) == 1 else f"{middle} (worst of {len(figures)}: {max(figures):g})"
