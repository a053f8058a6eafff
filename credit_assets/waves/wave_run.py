"""One attempt of a wave: it adopts the chunks that are committed, makes the others, and records every location.

Chunk 0 takes the first locations of the plan, and each later one takes from those that no chunk before it has. Which
these are is read from the committed chunks, so that all attempts agree, even two at once.

For each chunk three things happen in this order: its artifact is committed, its scores are written to the table, and
its locations are recorded in Dagster. A worker may die between any two. The retry then does again what follows the
commit; writing the same scores twice leaves the same rows.

Belongs here: the order of these things. Does not belong here: how one chunk is scored (`scoring`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from credit_assets.applications.reading import read_applications
from credit_assets.applications.scores_table import prepare_scores, upsert_scores
from credit_assets.applications.validation import find_defects
from credit_assets.settings.file import Settings
from credit_assets.settings.scoring import Scoring
from credit_assets.tables.rules import count_of
from credit_assets.waves.ahead import ScoringAhead
from credit_assets.waves.failures.log import write_failure_logs
from credit_assets.waves.failures.page_under_way import PageUnderWay
from credit_assets.waves.failures.steps import Step
from credit_assets.waves.model_in_use import load_predict
from credit_assets.waves.outcomes import (
    UNKNOWN_LOCATION,
    Failed,
    Outcome,
    describe_outcomes,
    list_failed,
    read_outcomes,
)
from credit_assets.waves.plans.plan import Plan, Share
from credit_assets.waves.record import LOCATION_SCORES, LocationLog
from credit_assets.waves.scoring import Scorer, score_chunk
from credit_assets.waves.services.readiness import Readiness, open_readiness
from resources.history.facts import committed_items
from resources.services.database import Database, repeat_while_away
from resources.store.checkpoints import Artifact, Checkpoints

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class WaveRun:
    """What an attempt of a wave works with.

    Attributes:
        context: of the step.
        asset: key of the asset that the step makes; chunks lie in its folder.
        settings: with a section `scoring`.
        scoring: that section.
        database: where applications are read.
        scores: where scores are written.
        checkpoints: where chunks are committed.
        show: writes the page of the wave while it is under way.
    """

    context: dg.AssetExecutionContext
    asset: str
    settings: Settings
    scoring: Scoring
    database: Database
    scores: Database
    checkpoints: Checkpoints
    show: Callable[[Sequence[Outcome]], None] = field(default=lambda _: None)

    def score(self, plan: Plan, share: Share, log: LocationLog) -> list[Outcome]:
        """Scores its share of the plan, as far as no attempt has, and returns the outcomes of all its locations.

        Raises:
            ArtifactError, PointerError, OtherFeatures: the plan's model can't be used.
            DeploymentError: a service needs a token, and its variable is not set.
            DatabaseAway: a database stayed away for all patience.
            LocationsError, ScoresError: the table of applications or of scores is not as declared.
            DatabaseError, StoreError: a database refuses, or the store is full, denied or away.
        """
        # Before any location is begun: no outside service is asked for applications that can't be read.
        repeat_while_away(lambda: prepare_scores(self.database, self.scores, self.settings))
        outcomes, page = list[Outcome](), PageUnderWay(self.show)
        with (
            open_readiness(self.settings, on_wait=lambda: page.show_if_due(outcomes)) as readiness,
            self._score_ahead(plan, readiness) as ahead,
        ):
            log.plan(list(share.rows))
            self.context.log.info(
                f"scores {count_of(len(share.rows), 'location')}. A long log of a run is shown without the events of "
                f"single locations: they are on the page of {LOCATION_SCORES}"
            )
            outcomes += self._refuse_unknown(plan, share)
            left, number = dict(share.rows), 0
            while left:
                chunk = self._commit_chunk(plan, number, left, readiness, ahead)
                # Another attempt may have committed it first, with other locations than this one has chosen.
                found = read_outcomes(chunk.facts)
                if fresh := log.select_new(found):
                    repeat_while_away(partial(self._write_scores, chunk, plan))
                    log.record(fresh, chunk, plan)
                for each in found:
                    del left[each.location]
                outcomes += found
                number += 1
                self._count(len(share.rows) - len(left), len(share.rows))
                page.show_if_due(outcomes)
        return outcomes

    def _score_ahead(self, plan: Plan, readiness: Readiness) -> ScoringAhead:
        scorer = self._make_scorer(plan, readiness)
        return ScoringAhead(lambda locations: repeat_while_away(partial(score_chunk, locations, scorer)))

    def _make_scorer(self, plan: Plan, readiness: Readiness) -> Scorer:
        def read(locations: Sequence[str]) -> "pa.Table":
            with self.database.open_snapshot() as cursor:
                return readiness.complete(read_applications(cursor, self.settings, locations, plan.began_at))

        return Scorer(
            read=read,
            find_defects=lambda rows: {**plan.defects, **find_defects(rows, self.settings)},
            predict=load_predict(self.checkpoints.store, self.settings, plan.model_number),
            model_sha256=plan.model_sha256,
            location=self.scoring.location,
            id=self.scoring.id,
        )

    def _refuse_unknown(self, plan: Plan, share: Share) -> Sequence[Failed]:
        said = f"table {self.scoring.locations} has no such location: correct the name"
        return self._write_logs(plan, [Failed(name, UNKNOWN_LOCATION, said, 0.0) for name in share.unknown], {})

    def _write_logs(
        self, plan: Plan, failed: Sequence[Failed], steps: Mapping[str, Sequence[Step]]
    ) -> Sequence[Failed]:
        folder = f"{self.asset}/{plan.wave}"
        return write_failure_logs(self.checkpoints.store, folder, failed, steps, plan, self.context.run.run_id)

    def _commit_chunk(
        self, plan: Plan, number: int, left: Mapping[str, int], readiness: Readiness, ahead: ScoringAhead
    ) -> Artifact:
        def compute() -> tuple["pa.Table", Mapping[str, Any]]:
            locations = readiness.choose_next(left).locations
            unanswered = [readiness.failed[each] for each in locations if each in readiness.failed]
            answered = [each for each in locations if each not in readiness.failed]
            made = ahead.take(answered)
            ahead.begin(readiness.foresee_next(left, locations).locations)
            steps = {
                each.location: [*readiness.steps[each.location], *made.steps.get(each.location, ())]
                for each in [*unanswered, *list_failed(made.outcomes)]
            }
            failed = self._write_logs(plan, [*unanswered, *list_failed(made.outcomes)], steps)
            found = {each.location: each for each in [*made.outcomes, *failed]}
            outcomes = describe_outcomes(found[each] for each in locations)
            return made.scores, {"wave": plan.wave, "chunk": number, "outcomes": outcomes}

        # Without services, the place of a chunk is the one that it had before there were any.
        asked = [each.model_dump(mode="json", include={"name", "url", "columns"}) for each in self.scoring.services]
        work = self.checkpoints.work(
            self.context,
            self.asset,
            part="parquet_groups",
            # Dagster's page of a wave loads every observation of a week, and a large wave has hundreds of chunks.
            shown_on=LOCATION_SCORES,
            settings=self.settings.fingerprint,
            plan=plan.sha256,
            chunk=number,
            **({"services": asked} if asked else {}),
        )
        return work.adopt_or(compute).commit()

    def _count(self, done: int, total: int) -> None:
        self.context.log_event(committed_items(dg.AssetKey(LOCATION_SCORES), "locations", done, total))

    def _write_scores(self, chunk: Artifact, plan: Plan) -> None:
        with self.scores.open_transaction() as cursor:
            written = upsert_scores(cursor, self.scoring, add_origin(chunk.value, plan))
        if left := chunk.value.num_rows - written:
            self.context.log.warning(
                f"{left:,} of {chunk.value.num_rows:,} scores were not written, because a later wave had written "
                "others for these applications"
            )


def add_origin(scores: "pa.Table", plan: Plan) -> "pa.Table":
    """Scores with the columns that say where they come from: the model, the wave, and the time."""
    import pyarrow as pa

    constants = {
        "model_number": pa.scalar(plan.model_number, pa.int32()),
        "model_sha256": pa.scalar(plan.model_sha256, pa.string()),
        "wave": pa.scalar(plan.wave, pa.string()),
        "wave_began": pa.scalar(plan.began_at, pa.timestamp("us", "UTC")),
        "scored_at": pa.scalar(datetime.now(UTC), pa.timestamp("us", "UTC")),
    }
    for name, value in constants.items():
        scores = scores.append_column(name, pa.repeat(value, scores.num_rows))
    return scores
