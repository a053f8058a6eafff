"""The report of a session: one line a drill in a file, and a table with one row a fault at the end."""

import os
from pathlib import Path
from statistics import median
from typing import Any

REPORT = Path(os.environ.get("DRILL_REPORT", Path(__file__).parents[3] / "local" / "drills.jsonl"))
# How often the drills are repeated whose figures are medians.
ROUNDS = int(os.environ.get("DRILL_ROUNDS", "1"))
COLUMNS = ("detected_after", "running_again_after", "work_lost", "steps_run_twice", "published_twice")


def table(lines: list[dict[str, Any]]) -> list[str]:
    """One row a fault, in the order of the drills: the median over its rounds, and the worst if there were several.

    What only some drills measure has its column only if one of them ran.
    """
    columns = list(dict.fromkeys([*COLUMNS, *(name for line in lines for name in line if name != "fault")]))
    rows = [["fault", *columns]]
    for fault in dict.fromkeys(line["fault"] for line in lines):
        measured = [line for line in lines if line["fault"] == fault]
        rows.append([fault, *(_cell([line[name] for line in measured if name in line]) for name in columns)])
    return [" | ".join(row) for row in rows]


def _cell(figures: list[float]) -> str:
    if not figures:
        return "–"
    middle = f"{median(figures):g}"
    return middle if len(figures) == 1 else f"{middle} (worst of {len(figures)}: {max(figures):g})"
