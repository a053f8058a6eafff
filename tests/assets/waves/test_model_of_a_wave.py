"""A wave that scores with two models can't be compared with itself, and nobody sees which location had which.

And a model that takes missing values must get them, or a location waits for a value that nobody has.
"""

from collections.abc import Callable, Iterator

import pytest

from credit_assets.definitions import build_defs
from credit_assets.jobs import REFRESH
from resources.deployment import Deployment
from tests.assets.waves.conftest import Waves


@pytest.fixture
def allow_missing_income(waves: Waves) -> Iterator[None]:
    path = waves.sandbox.settings
    before = path.read_text()
    strict = 'income = { type = "number", '
    assert before.count(strict) == 1
    path.write_text(before.replace(strict, strict + 'missing = "allowed", '))
    yield
    path.write_text(before)


def test_an_application_without_a_value_that_may_be_missing_gets_a_score(
    waves: Waves, break_location: Callable[[str], None], allow_missing_income: None
) -> None:
    break_location("branch-0003")
    assert waves.run().success
    assert waves.scores() == waves.applications()
    waves.sandbox.execute("UPDATE applications SET credit_score = NULL WHERE location = 'branch-0004'")
    assert not waves.run().success
    assert waves.status()[1] == {"branch-0004"}


def promote_another(waves: Waves) -> None:
    """Trains a model of other trees, which the rule promotes."""
    config = {"ops": {"training": {"config": {"n_estimators": 8, "max_depth": 3}}}}
    job = build_defs(Deployment.from_environment()).resolve_job_def(REFRESH)
    assert job.execute_in_process(instance=waves.instance, run_config=config).success


def test_a_retry_scores_with_the_model_of_its_wave_although_another_was_promoted_meanwhile(waves: Waves) -> None:
    waves.sandbox.execute("CREATE TABLE scores (other integer)")
    interrupted = waves.run()
    assert "table scores is not a table of scores" in waves.find_reason(interrupted)
    promote_another(waves)
    waves.sandbox.execute("DROP TABLE scores")
    assert waves.retry(interrupted.run_id).success
    models = "SELECT DISTINCT wave, model_number, model_sha256 FROM scores"
    ((_, number, digest),) = waves.sandbox.execute(models)
    assert number == 1
    later = waves.run()
    assert later.success
    ((wave, later_number, later_digest),) = waves.sandbox.execute(models)
    assert (wave, later_number) == (later.run_id, 2)
    assert later_digest != digest
