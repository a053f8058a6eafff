"""What must hold after every wave of the sweep, whatever failed and when, and whatever was promoted meanwhile.

Belongs here: the plan, the chunks, Dagster's partitions, and the table of scores. Does not belong here: what must hold
after any case (`invariants`).
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter

import dagster as dg
import numpy as np
import pyarrow as pa

from credit_assets.promotion.model_set import MODEL
from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.waves.outcomes import Scored, read_outcomes
from credit_assets.waves.plans.chunks import choose_chunk
from credit_assets.waves.plans.making import WAVE
from credit_assets.waves.plans.plan import Plan
from credit_assets.waves.record import ASSET, LOCATIONS
from credit_assets.waves.scoring import compute_scores_sha256
from resources.history.partitions import DATA_VERSION
from resources.history.run_groups import EVENT, read_events
from resources.store.artifacts import MANIFEST, Committed, find_artifact, verify_file
from tests.assets.sweep.invariants import Invariants

# What a wave says of a location: how many applications it scored there, and the digest of their scores.
Scores = Mapping[str, tuple[int, str]]


@dataclass(frozen=True)
class ScoreRow:
    """A row of the table of scores."""

    application: int | str
    location: str
    probability: float
    model_number: int
    model_sha256: str
    wave: str


@dataclass(frozen=True)
class WaveInvariants:
    """What must hold after a wave over all locations.

    Args:
        shared: what must hold after any case.
        instance: of Dagster.
        applications: the location of each open application.
        read_scores: reads the table of scores.
    """

    shared: Invariants
    instance: dg.DagsterInstance
    applications: Mapping[int | str, str]
    read_scores: Callable[[], Sequence[ScoreRow]]

    def hold(self, runs: Sequence[dg.DagsterRun]) -> None:
        """Checks all of them on the runs of one case: the first run and its retries, the oldest first."""
        plan = self.the_plan_has_each_location_once_and_a_promoted_model(runs[0].run_id)
        committed = self.each_chunk_is_committed_once_whole_and_as_planned(plan)
        recorded = self.each_location_is_materialized_once(runs, plan)
        written = self.each_application_has_one_score_of_this_wave_and_its_model(plan)
        assert recorded == committed, "Dagster shows other scores than the chunks have"
        assert written == committed, "the table has other scores than the chunks have"
        self.dagster_shows_every_location_as_materialized()
        self.the_page_counts_everything(runs, plan)
        self.shared.hold(runs)

    def is_overtaken(self) -> bool:
        """Whether another model was promoted after the one that the last wave used."""
        ((used,),) = {(row.model_number,) for row in self.read_scores()}
        return used < open_pointer(self.shared.store, "loans").latest().number

    def the_plan_has_each_location_once_and_a_promoted_model(self, root: str) -> Plan:
        key = f"{WAVE}/{root}/plan.json"
        plan = Plan.from_bytes(self.shared.store.read(key), key)
        assert sorted(plan.locations) == sorted(set(self.applications.values())), "the plan has other locations"
        assert choose_chunk(plan.count_rows()).locations != plan.locations, "a wave of one chunk proves little"
        assert plan.wave == root
        promoted = open_pointer(self.shared.store, "loans").at(plan.model_number).value["set"][MODEL]["sha256"]
        assert plan.model_sha256 == promoted, "the plan names a model that was not promoted"
        return plan

    def each_chunk_is_committed_once_whole_and_as_planned(self, plan: Plan) -> Scores:
        store, committed = self.shared.store, list[Committed]()
        for key in store.list_keys(f"{WAVE}/{plan.wave}"):
            if key.endswith(f"/{MANIFEST}"):
                artifact = find_artifact(store, key.removesuffix(f"/{MANIFEST}"))
                assert artifact
                for file in artifact.manifest.files:
                    verify_file(store, file)
                committed.append(artifact)
        chunks = [each.manifest.facts for each in committed if "chunk" in each.manifest.facts]
        assert len(committed) == len(chunks) + 1, "the wave has not one report"
        counts = Counter(facts["chunk"] for facts in chunks)
        left, number = plan.count_rows(), 0
        while left:
            assert counts[number] == 1, f"chunk {number} is committed {counts[number]} times"
            (outcomes,) = [read_outcomes(facts) for facts in chunks if facts["chunk"] == number]
            expected = choose_chunk(left).locations
            assert [each.location for each in outcomes] == list(expected), f"chunk {number} has other locations"
            for location in expected:
                del left[location]
            number += 1
        assert len(counts) == number, "there are chunks that nobody planned"
        scored = [each for facts in chunks for each in read_outcomes(facts) if isinstance(each, Scored)]
        return {each.location: (each.rows, each.sha256) for each in scored}

    def each_location_is_materialized_once(self, runs: Sequence[dg.DagsterRun], plan: Plan) -> Scores:
        entries = [
            entry for run in runs for entry in read_events(self.instance, run.run_id, {EVENT.ASSET_MATERIALIZATION})
        ]
        made = [each for entry in entries if (each := entry.asset_materialization) and each.asset_key == ASSET]
        counts = Counter(each.partition for each in made)
        for location in plan.locations:
            assert counts[location] == 1, f"{location} was materialized {counts[location]} times"
        assert len(counts) == len(plan.locations), "locations were materialized that nobody planned"
        assert all(each.metadata["promotion"].value == plan.model_number for each in made), "another model is named"
        return {
            str(each.partition): (int(str(each.metadata["dagster/row_count"].value)), (each.tags or {})[DATA_VERSION])
            for each in made
        }

    def each_application_has_one_score_of_this_wave_and_its_model(self, plan: Plan) -> Scores:
        rows = self.read_scores()
        found = Counter((row.application, row.location) for row in rows)
        assert found == Counter(self.applications.items()), "applications without a score, or with more than one"
        origins = {(row.model_number, row.model_sha256, row.wave) for row in rows}
        assert origins == {(plan.model_number, plan.model_sha256, plan.wave)}, f"of other models or waves: {origins}"
        scores: dict[str, list[ScoreRow]] = defaultdict(list)
        for row in sorted(rows, key=attrgetter("application")):
            scores[row.location].append(row)
        return {
            location: (
                len(rows),
                compute_scores_sha256(
                    pa.array([row.application for row in rows]).to_numpy(zero_copy_only=False),
                    np.array([row.probability for row in rows]),
                    plan.model_sha256,
                ),
            )
            for location, rows in scores.items()
        }

    def dagster_shows_every_location_as_materialized(self) -> None:
        names = sorted(set(self.applications.values()))
        definition = dg.DynamicPartitionsDefinition(name=LOCATIONS)
        found = self.instance.get_status_by_partition(ASSET, names, definition) or {}
        states = Counter(state.name if (state := found.get(name)) else "MISSING" for name in names)
        assert states == {"MATERIALIZED": len(names)}, f"Dagster shows {dict(states)}"

    def the_page_counts_everything(self, runs: Sequence[dg.DagsterRun], plan: Plan) -> None:
        event = self.instance.get_latest_materialization_event(dg.AssetKey(WAVE))
        assert event
        assert event.run_id in [run.run_id for run in runs], "the page is another wave's"
        assert event.asset_materialization
        page = event.asset_materialization.metadata
        counted = {name: page[name].value for name in ("scored", "failed", "waiting", "applications")}
        everything = {"scored": len(plan.locations), "failed": 0, "waiting": 0, "applications": len(self.applications)}
        assert counted == everything, f"the page counts {counted}"
