"""Scoring one chunk: from the applications of many locations to their scores, with an outcome for each location.

A location fails alone. If the whole chunk can't be read or scored, its locations are tried one at a time.

Belongs here: what happens in memory. Does not belong here: SQL (`credit_assets.applications`), and what is stored
(`wave_run`).
"""

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from credit_assets.applications.tables import LocationsError
from credit_assets.tables.rules import count_of
from credit_assets.waves.failures.steps import Step
from credit_assets.waves.outcomes import Failed, Outcome, Scored, list_failed
from resources.errors import PlatformError
from resources.services.database import DatabaseAway, DatabaseError

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

BAD_ROWS = "rows break the schema"


class ScoringError(PlatformError):
    """The model did not give a probability to each row."""


# The cause of a failure in words, by the class of its error.
CAUSES: Mapping[type[Exception], str] = {
    LocationsError: "the table of applications is not as the settings declare it",
    ScoringError: "the model gave no probabilities",
    DatabaseError: "the database refused to read the applications",
}


@dataclass(frozen=True)
class Scorer:
    """How applications are read and scored, by one model.

    Attributes:
        read: given names of locations: their open applications, sorted by location and id.
        find_defects: given such applications: why each location whose rows break the schema can't be scored.
        predict: given such applications: the probability of a default of each. Shape (rows,), float64.
        model_sha256: of the model's file, in hex.
        location, id: the columns of the applications that name the location, and the application.
    """

    read: Callable[[Sequence[str]], "pa.Table"]
    find_defects: Callable[["pa.Table"], Mapping[str, str]]
    predict: Callable[["pa.Table"], "np.ndarray"]
    model_sha256: str
    location: str = "location"
    id: str = "id"


@dataclass(frozen=True)
class ScoredChunk:
    """What was made of a chunk.

    Attributes:
        scores: columns `location`, `application` and `probability`, sorted by location and application. Ids of
            applications are int64, or text as they were read.
        outcomes: one for each location of the chunk.
        steps: what was tried for each location that failed.
    """

    scores: "pa.Table"
    outcomes: Sequence[Outcome]
    steps: Mapping[str, Sequence[Step]] = field(default_factory=dict)


def score_chunk(locations: Sequence[str], scorer: Scorer) -> ScoredChunk:
    """Scores all open applications of these locations, together if that is possible.

    Args:
        locations: names, each once.
        scorer: reads and scores.

    Raises:
        DatabaseAway: the database does not answer. This is no fault of a location, so the chunk is to be repeated.
    """
    import pyarrow as pa

    if not locations:
        return ScoredChunk(_make_no_scores(), [])
    together = Step(f"reading and scoring, {count_of(len(locations), 'location')} together")
    try:
        with together.watch():
            made = _score_together(locations, scorer)
        return replace(
            made, steps={each.location: [together.fail_for_location(each.cause)] for each in list_failed(made.outcomes)}
        )
    except DatabaseAway:
        raise
    except Exception:  # noqa: BLE001 - whatever one location does to a chunk must not reach the others
        alone = [_score_alone(location, scorer, together) for location in locations]
    tables = [each.scores for each in alone if each.scores.num_rows] or [_make_no_scores()]
    return ScoredChunk(
        pa.concat_tables(tables),
        [outcome for each in alone for outcome in each.outcomes],
        {location: steps for each in alone for location, steps in each.steps.items()},
    )


def compute_scores_sha256(applications: "np.ndarray", probabilities: "np.ndarray", model_sha256: str) -> str:
    """SHA-256 in hex of a location's scores: of the model's digest, then the ids, then the probabilities.

    Args:
        applications: ids, rising. Shape (rows,), hashed as little-endian int64. Texts are hashed as the number of bytes
            of each in UTF-8, and then all bytes.
        probabilities: of a default. Shape (rows,), hashed as little-endian float64.
        model_sha256: of the model's file, in hex; hashed as text.
    """
    import numpy as np

    content = hashlib.sha256(model_sha256.encode())
    if applications.dtype == object:
        texts = [text.encode() for text in applications]
        # Without their lengths, the ids `a` and `bc` would have the digest of `ab` and `c`.
        content.update(np.array([len(text) for text in texts], "<i8").tobytes())
        content.update(b"".join(texts))
    else:
        content.update(applications.astype("<i8").tobytes())
    content.update(probabilities.astype("<f8").tobytes())
    return content.hexdigest()


def _score_together(locations: Sequence[str], scorer: Scorer) -> ScoredChunk:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    started = time.monotonic()
    rows = scorer.read(locations)
    defects = scorer.find_defects(rows)
    if defects:
        rows = rows.filter(pc.invert(pc.is_in(rows.column(scorer.location), pa.array(list(defects), pa.string()))))
    names, ids = rows.column(scorer.location), rows.column(scorer.id).to_numpy()
    probabilities = scorer.predict(rows) if rows.num_rows else np.empty(0)
    if probabilities.shape != (rows.num_rows,) or not ((probabilities >= 0) & (probabilities <= 1)).all():
        raise ScoringError(
            f"expected a number from 0 to 1 for each of {rows.num_rows:,} rows, and the model gave something else. "
            "Promote another model, then score these locations again"
        )
    took = time.monotonic() - started
    spans, outcomes = _find_spans(names), list[Outcome]()
    for location in locations:
        if location in defects:
            outcomes.append(Failed(location, BAD_ROWS, defects[location], round(took, 3)))
            continue
        start, stop = spans.get(location, (0, 0))
        share = max(stop - start, 1) / max(rows.num_rows, 1)
        sha256 = compute_scores_sha256(ids[start:stop], probabilities[start:stop], scorer.model_sha256)
        outcomes.append(Scored(location, stop - start, round(took * share, 6), sha256))
    columns = {
        "location": names,
        "application": rows.column(scorer.id),
        "probability": pa.array(probabilities, pa.float64()),
    }
    return ScoredChunk(pa.table(columns), outcomes)


def _find_spans(names: "pa.ChunkedArray") -> dict[str, tuple[int, int]]:
    """Where the rows of each location begin and end; those of one location stand together."""
    import numpy as np

    codes = names.combine_chunks().dictionary_encode()
    if not len(codes):
        return {}
    numbers = codes.indices.to_numpy()
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    stops = [*starts[1:].tolist(), len(numbers)]
    values = codes.dictionary.to_pylist()
    return {values[numbers[start]]: (start, stop) for start, stop in zip(starts.tolist(), stops, strict=True)}


def _score_alone(location: str, scorer: Scorer, together: Step) -> ScoredChunk:
    """Scores one location of a chunk that could not be scored together."""
    alone = Step("reading and scoring, alone")
    try:
        with alone.watch():
            made = _score_together([location], scorer)
        steps = {each.location: [together, alone.fail_for_location(each.cause)] for each in list_failed(made.outcomes)}
        return replace(made, steps=steps)
    except DatabaseAway:
        raise
    except Exception as error:  # noqa: BLE001 - as above: it becomes the outcome of this location
        failed = Failed(location, *_describe_error(error), round(alone.seconds, 3))
    return ScoredChunk(_make_no_scores(), [failed], {location: [together, alone]})


def _describe_error(error: Exception) -> tuple[str, str]:
    """The cause and the message. Our errors quote no row; another library's may, so that only its class is named."""
    if isinstance(error, PlatformError):
        return CAUSES.get(type(error), type(error).__name__), str(error)
    return type(error).__name__, f"{type(error).__name__}. Its message may quote a row and is left out"


def _make_no_scores() -> "pa.Table":
    import pyarrow as pa

    schema = pa.schema({"location": pa.string(), "application": pa.int64(), "probability": pa.float64()})
    return schema.empty_table()
