"""Loans that a dataset does not hold are counted and named, and the sensor goes on counting them.

Without these tests a model is promoted without the newest loans, and the next tick says that none have arrived. The
other rows of the same kind are tested where their part lies: row policies and replicas in `connections`, tables of 400
columns in `inspection`, and categories with thousands of levels in `tests/unit/model`.
"""

from typing import Any

import dagster as dg
import pytest

from credit_assets.settings.file import SettingsFile
from resources.services.database import Database
from sensors.new_loans import new_loans
from tests.assets.real_tables.tables import BASE, declare
from tests.support.sandbox import Sandbox

COLUMNS = "loan_amount, income, credit_score, age, loan_term, default_status, purpose"
# The newest loans arrived within the last hours, and their times are those of clocks in Tokyo.
NEW_IN_TOKYO = f"""
INSERT INTO loans SELECT 2000 + id, (now() AT TIME ZONE 'Asia/Tokyo') - id * interval '20 seconds', {COLUMNS}
FROM loans WHERE id <= 1200
"""
# The nightly load empties the table and numbers its rows anew: other loans, three quarters as many.
RELOADED = f"""
CREATE TEMPORARY TABLE old AS TABLE loans;
TRUNCATE loans;
INSERT INTO loans SELECT row_number() OVER (ORDER BY id), created_at + interval '200 days', {COLUMNS}
FROM old WHERE id % 4 <> 0
"""


def tick(sandbox: Sandbox) -> Any:
    """One evaluation of `new_loans`, without a cursor."""
    resources = {
        "settings": SettingsFile(path=str(sandbox.settings)),
        "database": Database(url=sandbox.environment["PLATFORM_DATABASE_URL"]),
    }
    with dg.build_sensor_context(instance=sandbox.instance, resources=resources) as context:
        return new_loans.evaluate_tick(context)


def test_loans_of_the_end_of_time_are_left_out_counted_and_named(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    sandbox.execute(BASE + "UPDATE loans SET created_at = 'infinity' WHERE id > 1000")
    sandbox.settings.write_text(declare())
    assert sandbox.run() == 0
    assert sandbox.latest("loan_dataset", "dagster/row_count") == "1000"
    assert sandbox.latest("loan_dataset", "left_out") == "1000"
    assert "infinity" in capsys.readouterr().out
    result = tick(sandbox)
    assert not result.run_requests, "a refresh would leave them out again"
    assert "1,000" in str(result.skip_message)


def test_loans_with_local_times_are_counted_until_the_settings_name_the_zone(sandbox: Sandbox) -> None:
    sandbox.execute(BASE)
    sandbox.settings.write_text(declare())
    assert sandbox.run() == 0
    sandbox.execute(NEW_IN_TOKYO)
    assert sandbox.run() == 0
    assert sandbox.latest("loan_dataset", "left_out") == "1200"
    result = tick(sandbox)
    assert not result.run_requests
    assert "1,200" in str(result.skip_message)
    sandbox.settings.write_text(declare(table='time_zone = "Asia/Tokyo"'))
    assert sandbox.run() == 0
    assert sandbox.latest("loan_dataset", "dagster/row_count") == "3200"
    assert sandbox.latest("loan_dataset", "left_out") == "0"


def test_a_table_that_is_emptied_and_numbered_anew_leads_to_a_refresh(sandbox: Sandbox) -> None:
    sandbox.execute(BASE)
    sandbox.settings.write_text(declare())
    assert sandbox.run() == 0
    assert not tick(sandbox).run_requests, "nothing has changed"
    sandbox.execute(RELOADED)
    (request,) = tick(sandbox).run_requests
    assert request.run_key.startswith("loans-")
