"""The two kinds of cases: a refresh, which trains and promotes a model, and a wave, which scores all locations.

Belongs here: what a case runs, and what may go wrong in it. Does not belong here: what must hold after it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from credit_assets.benchmark.benchmark import BENCHMARK
from credit_assets.jobs import REFRESH, SCORE_LOCATIONS
from credit_assets.waves.plans.making import WAVE
from tests.assets.sweep.faults import ANY_MOMENT, COMMITS, DATABASE, LOANS, SCORES, STORE, TABLES

# Every third case is a wave.
WAVE_EVERY = 3


@dataclass(frozen=True, eq=False)
class Kind:
    """What all attempts of a case run.

    Attributes:
        job: its name.
        last_step: the step that ends last.
        config: of its first run.
        targets: what goes wrong in it; one that is named twice goes wrong twice as often.
    """

    job: str
    last_step: str
    config: Mapping[str, Any]
    targets: tuple[str, ...]


def _configure_training(trees: int) -> Mapping[str, Any]:
    return {"ops": {"training": {"config": {"n_estimators": trees, "max_depth": 5}}}}


_REFRESH_TARGETS = (ANY_MOMENT, ANY_MOMENT, STORE, STORE, STORE, DATABASE, DATABASE, DATABASE, LOANS)
_WAVE_TARGETS = (ANY_MOMENT, ANY_MOMENT, STORE, STORE, DATABASE, DATABASE, COMMITS, TABLES, SCORES, SCORES)
# Quick, and still several blocks of trees.
REFRESH_CASE = Kind(REFRESH, BENCHMARK, _configure_training(24), _REFRESH_TARGETS)
# Makes another model, so that a wave that used two of them would be noticed.
OTHER_REFRESH = Kind(REFRESH, BENCHMARK, _configure_training(12), _REFRESH_TARGETS)
WAVE_CASE = Kind(SCORE_LOCATIONS, WAVE, {}, _WAVE_TARGETS)


def choose_kind(case: int) -> Kind:
    """The kind of a case, by its number."""
    return WAVE_CASE if case % WAVE_EVERY == WAVE_EVERY - 1 else REFRESH_CASE
