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
