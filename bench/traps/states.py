"""Traps of states: what a run did not make and is shown as made, and what failed and is not shown as failed."""

import dagster as dg

from bench.traps.instances import (
    ASSET,
    OURS,
    STOCK,
    count_states,
    make_ranged_job,
    name_ends,
    name_places,
    open_instance,
    start_run,
)
from resources.history.partitions import (
    PartitionRecord,
    identify_step,
    plan_partitions,
    record_partitions,
)

STEP = "work"


def measure_green(way: str, count: int) -> dict[str, float]:
    """One run for a range of partitions makes nine of ten. How many of the others does Dagster show as made?"""
    places = name_places(count)
    made = [name for number, name in enumerate(places) if number % 10]

    def score_in_stock() -> None: ...

    def score(context: dg.AssetExecutionContext):
        records = [PartitionRecord(name, "digest") for name in made]
        record_partitions(context.instance, *identify_step(context), ASSET, records)
        yield from ()

    job = make_ranged_job(score_in_stock if way == STOCK else score, output_required=way == STOCK)
    with open_instance(way) as instance:
        instance.add_dynamic_partitions("places", places)
        job.execute_in_process(instance=instance, tags=name_ends(places))
        return {"wrongly_green": count_states(instance, places)["MATERIALIZED"] - len(made)}


def measure_red(way: str, count: int) -> dict[str, float]:
    """A run makes nine of ten partitions, then it succeeds, or fails as ours do. How many of the tenth are not red?"""
    places = name_places(count)
    made = [name for number, name in enumerate(places) if number % 10]
    with open_instance(OURS) as instance:
        run = start_run(instance)
        plan_partitions(instance, run.run_id, run.job_name, STEP, ASSET, places)
        records = [PartitionRecord(name, "digest") for name in made]
        record_partitions(instance, run.run_id, run.job_name, STEP, ASSET, records)
        if way == STOCK:
            succeeded = dg.DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name)
            instance.report_dagster_event(succeeded, run.run_id)
        else:
            instance.report_run_failed(run)
        return {"not_red": len(places) - len(made) - count_states(instance, places)["FAILED"]}
