"""One bad location must cost no other its scores, and a database that is away must cost no location anything."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from credit_assets.applications.tables import LocationsError
from credit_assets.waves.outcomes import Failed, Scored, describe_outcomes, list_failed, list_scored, read_outcomes
from credit_assets.waves.scoring import BAD_ROWS, Scorer, compute_scores_sha256, score_chunk
from resources.errors import PlatformError
from resources.services.database import DatabaseAway

ODD = "é\"'/\\" + "🏦" + "x" * 190
APPLICATIONS = {"a": [1, 2, 3], "b": [4], ODD: [5, 6], "empty": []}
MODEL = "f" * 64


def read(locations: Sequence[str]) -> pa.Table:
    rows = [(name, number) for name in sorted(locations) for number in APPLICATIONS[name]]
    return pa.table(
        {
            "location": pa.array([name for name, _ in rows], pa.string()),
            "id": pa.array([number for _, number in rows], pa.int64()),
            "income": pa.array([100.0 * number for _, number in rows], pa.float64()),
        }
    )


def predict(rows: pa.Table) -> np.ndarray:
    return rows.column("income").to_numpy() / 1000


SCORER = Scorer(read=read, find_defects=lambda _: {}, predict=predict, model_sha256=MODEL)


def fail_for(location: str, error: Exception) -> Callable[[Sequence[str]], pa.Table]:
    def read_or_fail(locations: Sequence[str]) -> pa.Table:
        if location in locations:
            raise error
        return read(locations)

    return read_or_fail


def test_every_application_of_a_chunk_gets_its_score_and_every_location_its_outcome() -> None:
    made = score_chunk(list(APPLICATIONS), SCORER)
    assert made.scores.column_names == ["location", "application", "probability"]
    assert dict(
        zip(*(made.scores.column(name).to_pylist() for name in ("application", "probability")), strict=True)
    ) == {number: pytest.approx(number / 10) for number in range(1, 7)}
    assert [(each.location, each.rows) for each in list_scored(made.outcomes)] == [
        (name, len(numbers)) for name, numbers in APPLICATIONS.items()
    ]
    assert not list_failed(made.outcomes)


def test_a_location_without_applications_is_scored_with_no_rows_and_is_no_failure() -> None:
    made = score_chunk(["empty"], SCORER)
    (outcome,) = made.outcomes
    assert isinstance(outcome, Scored)
    assert outcome.rows == made.scores.num_rows == 0


def test_a_location_has_the_same_digest_alone_and_in_a_chunk_and_another_one_with_another_score_or_model() -> None:
    def digest(locations: list[str], scorer: Scorer = SCORER) -> str:
        return next(
            each.sha256 for each in list_scored(score_chunk(locations, scorer).outcomes) if each.location == "a"
        )

    assert (
        digest(["a"])
        == digest(["a", "b", ODD])
        == compute_scores_sha256(np.array([1, 2, 3]), np.array([100.0, 200.0, 300.0]) / 1000, MODEL)
    )
    assert digest(["a"]) != digest(["a"], replace(SCORER, model_sha256="e" * 64))
    assert digest(["a"]) != digest(["a"], replace(SCORER, predict=lambda rows: predict(rows) / 2))


def test_ids_that_are_text_are_kept_as_they_are_and_each_way_to_write_them_has_another_digest() -> None:
    def read_texts(locations: Sequence[str]) -> pa.Table:
        rows = read(locations)
        return rows.set_column(1, "id", pc.binary_join_element_wise("é", rows.column("id").cast(pa.string()), ""))

    made = score_chunk(list(APPLICATIONS), replace(SCORER, read=read_texts))
    assert made.scores.column("application").to_pylist() == ["é1", "é2", "é3", "é4", "é5", "é6"]
    digests = {
        compute_scores_sha256(np.array(ids, object), np.array([0.5, 0.5]), MODEL)
        for ids in (["a", "bc"], ["ab", "c"], ["", "abc"], ["a", "bd"])
    }
    assert len(digests) == 4
    found = {each.location: each.sha256 for each in list_scored(made.outcomes)}
    assert found["b"] == compute_scores_sha256(np.array(["é4"], object), np.array([0.4]), MODEL)


def test_a_location_with_bad_rows_fails_with_its_reason_and_the_others_of_its_chunk_are_scored() -> None:
    scorer = replace(SCORER, find_defects=lambda _: {"a": "income: 1 of 3 rows is NULL; expected a number"})
    made = score_chunk(["a", "b", ODD], scorer)
    (failed,) = list_failed(made.outcomes)
    assert (failed.location, failed.cause) == ("a", BAD_ROWS)
    assert failed.message == "income: 1 of 3 rows is NULL; expected a number"
    assert {each.location for each in list_scored(made.outcomes)} == {"b", ODD}
    assert sorted(made.scores.column("application").to_pylist()) == [4, 5, 6]


def test_a_location_that_can_not_be_read_fails_alone() -> None:
    scorer = replace(SCORER, read=fail_for("b", PlatformError("column income: expected a number")))
    made = score_chunk(["a", "b", "empty"], scorer)
    (failed,) = list_failed(made.outcomes)
    assert (failed.location, failed.message) == ("b", "column income: expected a number")
    assert [each.location for each in list_scored(made.outcomes)] == ["a", "empty"]
    assert made.scores.column("application").to_pylist() == [1, 2, 3]


def test_a_chunk_of_failures_only_has_no_scores_and_all_outcomes() -> None:
    def refuse(_: pa.Table) -> np.ndarray:
        raise PlatformError("no")

    made = score_chunk(["a", "b"], replace(SCORER, predict=refuse))
    assert [each.location for each in list_failed(made.outcomes)] == ["a", "b"]
    assert made.scores.num_rows == 0


def test_a_message_of_another_library_which_may_quote_a_row_is_not_kept() -> None:
    made = score_chunk(["a", "b"], replace(SCORER, read=fail_for("a", ValueError("could not convert 'Jane Doe'"))))
    (failed,) = list_failed(made.outcomes)
    assert failed.cause == "ValueError"
    assert "Jane" not in failed.message


def test_a_cause_is_words_and_no_class_of_the_code() -> None:
    refused = score_chunk(["a"], replace(SCORER, read=fail_for("a", LocationsError("table b has no column savings"))))
    mute = score_chunk(["a"], replace(SCORER, predict=lambda _: np.array([])))
    causes = [failed.cause for made in (refused, mute) for failed in list_failed(made.outcomes)]
    assert causes == [
        "the table of applications is not as the settings declare it",
        "the model gave no probabilities",
    ]


@pytest.mark.parametrize("garbage", [[np.nan], [np.inf], [-0.1], [1.1], [], [[0.1, 0.9]]])
def test_a_model_that_gives_no_probability_gives_no_scores(garbage: list[float]) -> None:
    made = score_chunk(["b"], replace(SCORER, predict=lambda _: np.array(garbage)))
    assert [each.location for each in list_failed(made.outcomes)] == ["b"]
    assert made.scores.num_rows == 0


def test_a_database_that_is_away_is_no_fault_of_a_location() -> None:
    with pytest.raises(DatabaseAway):
        score_chunk(["a", "b"], replace(SCORER, read=fail_for("a", DatabaseAway("away"))))


def test_outcomes_are_the_same_after_they_were_kept_in_a_manifest() -> None:
    outcomes = [Scored(ODD, 2, 0.25, "d" * 64), Failed("a", BAD_ROWS, "income: 1 of 3 rows is NULL", 0.1)]
    assert read_outcomes({"outcomes": describe_outcomes(outcomes)}) == outcomes
