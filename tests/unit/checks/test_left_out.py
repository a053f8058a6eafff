"""A loan of the future is in no dataset. Without a word about it, a model is promoted that saw half of the loans."""

from credit_assets.checks.loan_dataset.left_out import judge_left_out

SOME = {"left_out": 1_200, "left_out_for_ever": 3}


def test_loans_of_the_future_are_counted_named_and_stop_nothing() -> None:
    verdict = judge_left_out(SOME, "opened", is_rebuilt=False)
    assert not verdict.passed
    assert not verdict.blocking
    assert verdict.message == (
        "1,200 loans were created after the time of the dataset, of which 3 at infinity; expected none. Correct opened "
        "in the table. If it holds local times, name their zone in table.time_zone"
    )
    assert verdict.facts == SOME


def test_a_dataset_of_an_earlier_time_leaves_later_loans_out_on_purpose() -> None:
    verdict = judge_left_out(SOME, "opened", is_rebuilt=True)
    assert verdict.passed
    assert verdict.message.startswith("1,200 loans were created after")
    assert judge_left_out({"left_out": 0, "left_out_for_ever": 0}, "opened", is_rebuilt=False).passed
