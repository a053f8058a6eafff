"""The settings that are shipped must price the example locations, or the first thing a reader tries is red."""

from credit_assets.jobs import PRICE_SEGMENTS


def test_the_shipped_settings_price_every_segment_by_the_scores_of_a_wave(waves) -> None:
    waves.sandbox.execute("DROP TABLE IF EXISTS prices")
    assert waves.run().success
    assert waves.run(PRICE_SEGMENTS).success
    pricing = waves.settings.require_pricing()
    rows = waves.sandbox.execute(
        "SELECT p.segment, p.rate, p.scores, p.mean_probability, avg(s.probability), count(*) FROM prices AS p "
        "JOIN locations USING (segment) JOIN scores AS s USING (location) "
        "GROUP BY p.segment, p.rate, p.scores, p.mean_probability"
    )
    assert len(rows) == 12
    for segment, rate, scores, mean, expected, count in rows:
        assert (scores, round(mean, 12)) == (count, round(expected, 12)), segment
        assert pricing.minimum_rate < rate < pricing.maximum_rate, segment
        assert abs(rate - (pricing.base_rate + mean * pricing.loss_given_default)) < 1e-6, segment


def test_a_location_whose_last_application_is_gone_counts_for_no_price(waves) -> None:
    waves.sandbox.execute("DROP TABLE IF EXISTS prices")
    waves.sandbox.execute("UPDATE locations SET segment = 'north' WHERE location IN ('branch-0001', 'branch-0002')")
    assert waves.run().success
    waves.sandbox.execute("DELETE FROM applications WHERE location = 'branch-0001'")
    assert waves.run().success, "a location without applications is scored with none"
    assert waves.scores()["branch-0001"], "its old scores stay"
    assert waves.run(PRICE_SEGMENTS).success
    ((scores, mean),) = waves.sandbox.execute("SELECT scores, mean_probability FROM prices WHERE segment = 'north'")
    ((left, expected),) = waves.sandbox.execute(
        "SELECT count(*), avg(probability) FROM scores WHERE location = 'branch-0002'"
    )
    assert (scores, round(mean, 12)) == (left, round(expected, 12))
