"""Ids of applications are whatever a lender has. One that is read, stored or ordered in another way loses its score."""

from dataclasses import dataclass

import numpy as np
import pytest

from credit_assets.jobs import PRICE_SEGMENTS
from credit_assets.waves.page import RESCORE
from credit_assets.waves.scoring import compute_scores_sha256
from resources.history.partitions import DATA_VERSION
from tests.assets.waves.conftest import Waves

TYPE_OF_KEY = (
    "SELECT format_type(atttypid, NULL) FROM pg_attribute "
    "WHERE attrelid = 'scores'::regclass AND attname = 'application'"
)
SCORED = "SELECT application::text, location, probability FROM scores"


@dataclass(frozen=True)
class Ids:
    """A type of ids.

    Attributes:
        type: of the column `id`.
        made: the expression that makes one from an integer.
        stored: the type of the column `application`.
    """

    type: str
    made: str
    stored: str


UUID = Ids("uuid", "md5(id::text)::uuid", "uuid")
TEXT = Ids("text", "CASE id WHEN 1 THEN '' WHEN 2 THEN 'NULL' ELSE 'Ä, \"' || id || E'\\n\\\\N' END", "text")
CHARACTER = Ids("character(12)", "'no ' || id", "text")
NUMERIC = Ids("numeric(20,2)", "id", "bigint")


@pytest.fixture(params=[UUID, TEXT, CHARACTER, NUMERIC], ids=["uuid", "text", "character", "numeric"])
def ids(request: pytest.FixtureRequest, waves: Waves) -> Ids:
    """A type that the ids of all applications have."""
    given: Ids = request.param
    waves.sandbox.execute("ALTER TABLE applications ADD number bigint; UPDATE applications SET number = id")
    waves.sandbox.execute(f"ALTER TABLE applications ALTER id TYPE {given.type} USING {given.made}")
    return given


def test_a_wave_scores_applications_by_their_ids_whatever_type_these_have(waves: Waves, ids: Ids) -> None:
    result = waves.run()
    assert result.success
    assert waves.scores() == waves.applications()
    assert waves.sandbox.execute(TYPE_OF_KEY) == [(ids.stored,)]
    by_number = dict(
        waves.sandbox.execute(
            "SELECT number, probability FROM scores JOIN applications AS a ON a.location = scores.location "
            f"AND a.id = scores.application::{ids.type}"
        )
    )
    assert len(by_number) == sum(waves.applications().values())
    rows: dict[str, list[tuple[str, float]]] = {}
    for application, location, probability in waves.sandbox.execute(SCORED):
        rows.setdefault(location, []).append((application, probability))
    for record in waves.recorded(result.run_id):
        made = record.asset_materialization
        assert made
        assert made.tags
        is_whole = ids.stored == "bigint"
        each = sorted((int(name) if is_whole else name, score) for name, score in rows[str(made.partition)])
        names = np.array([name for name, _ in each], "int64" if is_whole else object)
        ((model,),) = waves.sandbox.execute("SELECT DISTINCT model_sha256 FROM scores")
        assert made.tags[DATA_VERSION] == compute_scores_sha256(names, np.array([score for _, score in each]), model)
    waves.sandbox.execute("DROP TABLE scores")
    waves.sandbox.execute("ALTER TABLE applications DROP id; ALTER TABLE applications RENAME number TO id")
    assert waves.run().success
    assert dict(waves.sandbox.execute("SELECT application, probability FROM scores")) == by_number


def test_a_location_fails_and_is_scored_again_and_has_a_price_with_ids_of_any_type(waves: Waves, ids: Ids) -> None:
    waves.sandbox.execute("DROP TABLE IF EXISTS prices")
    waves.sandbox.execute("UPDATE applications SET income = -1 WHERE number = 1")
    assert not waves.run().success
    expected = waves.applications()
    assert waves.status()[1] == {"branch-0001"}
    assert waves.scores() == {name: rows for name, rows in expected.items() if name != "branch-0001"}
    waves.sandbox.execute("UPDATE applications SET income = 1 WHERE number = 1")
    assert waves.run(RESCORE).success
    assert waves.run().success
    assert waves.scores() == expected
    assert waves.run(PRICE_SEGMENTS).success
    assert waves.sandbox.execute("SELECT count(*), sum(scores) FROM prices") == [(12, sum(expected.values()))]


def test_ids_that_repeat_or_are_no_key_fail_their_locations_alone(waves: Waves) -> None:
    waves.sandbox.execute("ALTER TABLE applications DROP CONSTRAINT applications_pkey, ALTER id TYPE text")
    repeated = "UPDATE applications SET id = 'same' WHERE id IN (SELECT min(id) FROM applications WHERE location {})"
    waves.sandbox.execute(repeated.format("= 'branch-0002' AND decided_at IS NULL"))
    waves.sandbox.execute(repeated.format("= 'branch-0003' AND decided_at IS NULL"))
    waves.sandbox.execute(
        "UPDATE applications SET id = repeat('x', 601) WHERE id IN "
        "(SELECT min(id) FROM applications WHERE location = 'branch-0004' AND decided_at IS NULL)"
    )
    assert not waves.run().success
    assert waves.status()[1] == {"branch-0002", "branch-0003", "branch-0004"}
    assert len(waves.scores()) == 9


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("bigint", "uuid", "application is bigint (expected uuid, because column applications.id is of type uuid)"),
        ("uuid", "text", "application is uuid (expected text, because column applications.id is of type text)"),
        ("text", "bigint", "application is text (expected bigint, because column applications.id is of type bigint)"),
    ],
)
def test_scores_of_ids_of_another_type_are_refused_and_left_alone(
    waves: Waves, before: str, after: str, expected: str
) -> None:
    waves.sandbox.execute("ALTER TABLE applications ADD number bigint; UPDATE applications SET number = id")
    made = {"bigint": "number", "uuid": "md5(number::text)::uuid", "text": "number::text"}
    change = "ALTER TABLE applications DROP id, ADD id {}; UPDATE applications SET id = {}"
    waves.sandbox.execute(change.format(before, made[before]))
    assert waves.run().success
    scored = sorted(waves.sandbox.execute(SCORED))
    waves.sandbox.execute(change.format(after, made[after]))
    reason = waves.find_reason(waves.run())
    assert f"table scores is not a table of scores: {expected}. Rename it, or name another table" in reason
    assert sorted(waves.sandbox.execute(SCORED)) == scored
    waves.sandbox.execute("ALTER TABLE scores RENAME TO old_scores")
    assert waves.run().success
    assert waves.sandbox.execute(TYPE_OF_KEY) == [(after,)]
    waves.sandbox.execute("DROP TABLE old_scores")


def test_an_id_of_a_type_that_is_no_id_is_refused_by_its_column(waves: Waves) -> None:
    waves.sandbox.execute("ALTER TABLE applications DROP id, ADD id jsonb")
    reason = waves.find_reason(waves.run())
    assert "column applications.id is of type jsonb; expected id (bigint, character, " in reason
