"""Retention deletes from the store what nobody needs any more. What it deletes by mistake is a model that is gone."""

from typing import Any

import dagster as dg
import obstore
import pytest

from credit_assets.promotion.table_pointer import open_pointer
from credit_assets.retention.removal import Amount
from credit_assets.retention.stored.stored_objects import RemovalPostponed
from credit_assets.waves.runs.attempts import WAVE_ID
from resources.history.tags import WILL_RETRY
from resources.store.artifacts import find_artifact
from resources.store.io_manager import PLACE
from resources.store.pointers.positions import PositionMissing

FAILED, UNDER_WAY = dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.STARTED


def test_an_old_artifact_that_was_never_promoted_goes_and_a_young_one_stays(shelf: Any) -> None:
    part = shelf.artifact("loan_dataset", shelf.run())
    shelf.retain(days=89)
    assert shelf.has(part)
    found = shelf.find(days=91)["artifacts"]
    assert found.goes.count == 2
    assert shelf.has(part), "looking deletes nothing"
    found.delete()
    assert not shelf.has(part)
    found.delete()


def test_what_any_position_names_stays_and_so_does_all_that_it_was_made_from(shelf: Any) -> None:
    source = shelf.artifact("loan_dataset", shelf.run())
    model = shelf.artifact("trained_model", shelf.run(), loan_dataset=source)
    newer = shelf.artifact("trained_model", shelf.run())
    forgotten = shelf.artifact("trained_model", shelf.run())
    shelf.promote(model)
    shelf.promote(newer)
    shelf.retain(days=1_000)
    assert [shelf.has(each) for each in (source, model, newer, forgotten)] == [True, True, True, False]


def test_a_set_of_another_table_in_the_same_store_stays(shelf: Any) -> None:
    model = shelf.artifact("trained_model", shelf.run())
    pointer = open_pointer(shelf.store, "another")
    pointer.move(pointer.read_state(), {"table": "another", "set": {"trained_model": {"place": model.place}}})
    shelf.retain(days=1_000)
    assert shelf.has(model)


def test_what_a_young_artifact_was_made_from_stays_however_old_it_is(shelf: Any) -> None:
    source = shelf.artifact("loan_dataset", shelf.run())
    shelf.artifact("trained_model", shelf.run(UNDER_WAY), loan_dataset=source)
    shelf.retain(days=1_000)
    assert shelf.has(source)


@pytest.mark.parametrize("days", [91, 1_000])
def test_a_run_group_of_which_one_run_has_not_ended_keeps_everything(shelf: Any, days: int) -> None:
    root = shelf.run(FAILED)
    part = shelf.artifact("loan_dataset", root)
    shelf.store.create(f"trained_model/{root}/{1:016x}/blocks/00000000.00", b"a block")
    shelf.store.create(f"wave/{root}/plan.json", b"{}")
    shelf.run(UNDER_WAY, retries=root)
    before = shelf.store.list_keys()
    shelf.retain(days)
    assert shelf.store.list_keys() == before
    assert shelf.has(part)


def test_a_run_that_is_re_executed_after_the_dry_run_keeps_its_artifacts(shelf: Any) -> None:
    root = shelf.run(FAILED)
    part = shelf.artifact("loan_dataset", root)
    found = shelf.find(days=91)["artifacts"]
    assert found.goes.count == 2
    shelf.run(UNDER_WAY, retries=root)
    found.delete()
    assert shelf.has(part)


def test_the_newest_artifact_of_an_asset_stays_because_the_next_run_reads_it(shelf: Any) -> None:
    superseded, newest = (shelf.artifact("loan_dataset", shelf.run()) for _ in range(2))
    for each in (superseded, newest):
        shelf.instance.report_runless_asset_event(dg.AssetMaterialization("loan_dataset", metadata={PLACE: each.place}))
    shelf.retain(days=1_000)
    assert (shelf.has(superseded), shelf.has(newest)) == (False, True)


def test_an_artifact_stops_to_exist_before_its_files_go_and_the_next_retention_deletes_the_rest(
    shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [shelf.artifact(asset, shelf.run()) for asset in ("loan_dataset", "test_split", "trained_model")]
    delete, deleted = obstore.delete, []

    def die_at_a_file(client: Any, key: str) -> None:
        if not key.endswith("manifest.json"):
            raise KeyboardInterrupt
        deleted.append(key)
        delete(client, key)

    found = shelf.find(days=91)["artifacts"]
    with monkeypatch.context() as dying:
        dying.setattr(obstore, "delete", die_at_a_file)
        with pytest.raises(KeyboardInterrupt):
            found.delete()
    assert len(deleted) == 3
    assert [find_artifact(shelf.store, each.place) for each in parts] == [None, None, None]
    assert len(shelf.store.list_keys()) == 3, "the files are there without their manifests"
    shelf.retain(days=91)
    assert shelf.store.list_keys() == []


def test_what_retention_does_not_know_stays_and_is_counted(shelf: Any) -> None:
    root = shelf.run()
    known = shelf.artifact("loan_dataset", root)
    keys = [
        "backups/2026/dump",
        f"{known.place}/notes.txt",
        f"loan_dataset/{root}/a-folder-of-mine/manifest.json",
        "promoted_model/credit.loans/README",
        "wave/anything/else.json",
    ]
    for key in keys:
        shelf.store.create(key, b"mine")
    unknown = shelf.find(days=1_000)["objects"]
    assert (unknown.goes, unknown.stays) == (Amount(0), Amount(5, 20))
    assert "they lie in backups, loan_dataset, promoted_model, wave" in unknown.why
    shelf.retain(days=1_000)
    assert shelf.store.list_keys() == sorted(keys)


def test_a_manifest_that_can_not_be_read_keeps_all_that_lies_beside_it(shelf: Any) -> None:
    part = shelf.artifact("loan_dataset", shelf.run())
    shelf.store.delete(f"{part.place}/manifest.json")
    shelf.store.create(f"{part.place}/manifest.json", b"no manifest")
    assert shelf.find(days=1_000)["objects"].stays.count == 2
    shelf.retain(days=1_000)
    assert shelf.has(part)


def test_nothing_is_deleted_while_a_position_is_missing(shelf: Any) -> None:
    model = shelf.artifact("trained_model", shelf.run())
    shelf.promote(model)
    shelf.promote(shelf.artifact("trained_model", shelf.run()))
    shelf.store.delete("promoted_model/credit.loans/00000001.json")
    with pytest.raises(PositionMissing):
        shelf.retain(days=1_000)
    assert shelf.has(model)


def test_no_artifact_goes_while_a_person_promotes_one(shelf: Any) -> None:
    part = shelf.artifact("trained_model", shelf.run())
    promotes = shelf.run(UNDER_WAY, job="promote_by_hand")
    with pytest.raises(RemovalPostponed, match=promotes):
        shelf.retain(days=91)
    assert shelf.has(part)


def test_blocks_stay_until_their_training_is_over_for_a_day_and_no_person_continues_it(shelf: Any) -> None:
    under_way, failed, promised, done = shelf.run(UNDER_WAY), shelf.run(FAILED), shelf.run(FAILED), shelf.run()
    shelf.instance.add_run_tags(promised, {WILL_RETRY: "true"})
    keys = {root: f"trained_model/{root}/{1:016x}/blocks/00000000.00" for root in (under_way, failed, promised, done)}
    keys["folds"] = f"trained_model/{failed}/{1:016x}/folds/blocks/00000003.01"
    keys["order for helpers"] = f"trained_model/{failed}/{1:016x}/order.json"
    for key in keys.values():
        shelf.store.create(key, b"a block")
    shelf.artifact("trained_model", done)
    shelf.retain(days=1)
    assert set(keys.values()) <= set(shelf.store.list_keys())
    shelf.retain(days=2)
    left = set(shelf.store.list_keys())
    assert {name for name, key in keys.items() if key in left} == {under_way, promised}
    shelf.retain(days=91)
    assert {name for name, key in keys.items() if key in set(shelf.store.list_keys())} == {under_way}


def test_a_wave_of_shards_stays_until_all_of_them_are_old(shelf: Any) -> None:
    wave = "wave-2026-03-01T09:00"
    shelf.run(tags={WAVE_ID: wave})
    late = shelf.run(UNDER_WAY, tags={WAVE_ID: wave})
    keys = [f"wave/{wave}/{name}" for name in (f"failed/{1:016x}.log", "last.json", "plan.json", "shards/1-of-2.json")]
    for key in keys:
        shelf.store.create(key, b"{}")
    shelf.retain(days=1_000)
    assert shelf.store.list_keys() == keys
    ended = dg.DagsterEvent(event_type_value=dg.DagsterEventType.RUN_SUCCESS.value, job_name="refresh")
    shelf.instance.report_dagster_event(ended, run_id=late)
    shelf.retain(days=29)
    assert shelf.store.list_keys() == keys
    shelf.retain(days=31)
    assert shelf.store.list_keys() == []


def test_what_runs_left_that_dagster_does_not_know_is_kept_for_the_longer_limit(shelf: Any) -> None:
    stranger = "00000000-0000-0000-0000-000000000001"
    shelf.store.create(f"wave/{stranger}/plan.json", b"{}")
    shelf.store.create(f"trained_model/{stranger}/{1:016x}/blocks/00000000.00", b"a block")
    shelf.retain(days=89)
    assert len(shelf.store.list_keys()) == 2
    shelf.retain(days=91)
    assert shelf.store.list_keys() == []
