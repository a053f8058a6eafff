"""A helper: a run that grows the trees of one part of another run's training, and commits them as that run would.

The training does not wait for it. It takes the blocks that it finds, and grows the trees that are missing. So a helper
that is lost, late or wrong about the time costs nothing but its own work.

Belongs here: the job and its config. Does not belong here: who asks for helpers (`sensors`).
"""

import dagster as dg
from pydantic import Field

from credit_assets.helping.order import MOST_HELPERS, HelpError, read_order
from credit_assets.model.pipeline import TrainingConfig, prepare_trees
from credit_assets.model.split import split_rows
from credit_assets.settings.file import SettingsFile
from resources.history.facts import committed_items
from resources.store.artifacts import find_artifact
from resources.store.blocks.series import Blocks
from resources.store.checkpoints import Checkpoints
from resources.store.formats import FORMATS

# The job, and its one step.
HELP_TRAINING, GROW = "help_training", "grow_part"


class Help(dg.Config):
    """Which training a run helps, and with which of its trees."""

    place: str = Field(description="Where the training's model will lie: the tag platform/training_place of its run.")
    part: int = Field(ge=1, le=MOST_HELPERS, description="Which part of the trees, from 1. The training has part 0.")
    parts: int = Field(ge=2, le=MOST_HELPERS + 1, description="How many parts there are.")


def find_part(trees: int, part: int, parts: int) -> tuple[int, int]:
    """Where a part of the trees begins, and where it ends (exclusive). All parts are about as large."""
    return trees * part // parts, trees * (part + 1) // parts


@dg.op
def grow_part(context: dg.OpExecutionContext, config: Help, settings: SettingsFile, checkpoints: Checkpoints) -> None:
    """Grows trees of a part until all are there, or the training has come so far, or has ended."""
    from joblib import cpu_count

    store, declared = checkpoints.store, settings.load()
    order = read_order(store, config.place)
    if order.settings != declared.fingerprint:
        raise HelpError("the settings of this run are not those of the training, so that its trees would be others")
    if find_artifact(store, order.place):
        context.log.info("the training has ended, so there is nothing to help with")
        return
    chosen = TrainingConfig(**order.config)
    loans = checkpoints.logged(order.dataset_place, order.dataset_manifest_sha256, FORMATS["parquet"]).value
    rows = split_rows(loans, declared, chosen).training
    blocks = Blocks(store, order.place, items="trees", at_once=cpu_count(), log=context.log.info)
    first, stop = find_part(chosen.n_estimators, config.part, config.parts)
    made = blocks.help(
        first, stop, prepare_trees(loans, declared, chosen, rows), lambda: bool(find_artifact(store, order.place))
    )
    context.log_event(committed_items(dg.AssetKey("trained_model"), "trees", made, stop - first))


@dg.job(
    name=HELP_TRAINING,
    description="Grows trees of a training that another run works on. The sensor training_helpers asks for it.",
)
def help_training_job() -> None:
    """The job of a helper."""
    grow_part()
