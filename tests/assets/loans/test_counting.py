"""PostgreSQL and the tests' model of it take the same census; if not, the histories prove nothing about real tables."""

import random
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import replace

import psycopg2
import pytest

from credit_assets.loans import counting
from credit_assets.loans.census import BUCKETS, compare, is_comparable
from credit_assets.loans.counting import Counted, Limit, count_loans
from credit_assets.loans.seed import create_table_sql
from credit_assets.settings.file import Settings, load_settings
from resources.services.database import Database
from tests.support.histories.history import play
from tests.support.histories.lender import Lender, Loan, count
from tests.support.histories.rules import count_by_census
from tests.support.settings import settings_text


@pytest.fixture
def settings(tmp_path) -> Settings:
    path = tmp_path / "settings.toml"
    path.write_text(settings_text(features="income = { type = 'integer' }"))
    return load_settings(path)


def fill(url: str, settings: Settings, loans: Iterable[Loan]) -> None:
    with closing(psycopg2.connect(url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS loans")
        cursor.execute(create_table_sql(settings).replace("DECIMAL(10, 2)", "INTEGER"))
        for loan in loans:
            cursor.execute(
                "INSERT INTO loans (id, created_at, default_status, income) VALUES (%s, %s, %s, %s)",
                (int(loan.id), loan.time, loan.income % 2, loan.income),
            )


def read_buckets(url: str) -> Callable[[Loan], int]:
    """Where PostgreSQL's own hash puts the loans of its table, of which `count_loans` takes the last twelve bits."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT id::text, hash_record_extended(row(id, created_at), 0) FROM loans")
        buckets = {name: number % BUCKETS for name, number in cursor.fetchall()}
    return lambda loan: buckets[loan.id]


def count_at(url: str, settings: Settings, limit: Limit) -> Counted:
    with Database(url=url).open_snapshot() as cursor:
        return count_loans(cursor, settings, limit)


@pytest.mark.parametrize("seed", range(6))
def test_postgresql_counts_what_the_model_counts(database_url: str, settings: Settings, seed: int) -> None:
    lender = play(seed, count_by_census).lender
    assert lender.latest
    assert lender.latest.census
    limit, loans = lender.latest.limit, lender.latest.loans.values()
    fill(database_url, settings, loans)
    held = count_at(database_url, settings, Limit(limit.as_of)).census
    expected_held = count(loans, Limit(limit.as_of), lender.now, read_buckets(database_url)).census
    assert held.counts == expected_held.counts
    lender.repair()
    fill(database_url, settings, lender.table.values())
    found = count_at(database_url, settings, limit)
    expected = count(lender.table.values(), limit, lender.now, read_buckets(database_url))
    assert found.census.counts == expected.census.counts
    difference = compare(held, len(loans), found.census)
    assert difference == compare(expected_held, len(loans), expected.census)
    assert difference.changed or difference.lacking or difference.gone or found.arrived or found.future
    # The model's clock is not that of the server, so only their sum is the same.
    assert found.arrived + found.future == expected.arrived + expected.future


def test_no_setting_of_the_database_changes_the_census(database_url: str, settings: Settings) -> None:
    lender = Lender(random.Random(1))
    lender.add(lender.make_loans(50))
    fill(database_url, settings, lender.table.values())
    limit = Limit(lender.now)
    plain = count_at(database_url, settings, limit)
    with closing(psycopg2.connect(database_url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        name = connection.info.dbname
        for setting in ("TimeZone = 'Asia/Tokyo'", "DateStyle = 'SQL, DMY'", "bytea_output = 'escape'"):
            cursor.execute(f'ALTER DATABASE "{name}" SET {setting}')
    assert count_at(database_url, settings, limit) == plain
    assert compare(plain.census, 50, count_at(database_url, settings, limit).census).lacking == 0


def test_a_loan_without_a_time_is_within_every_limit(database_url: str, settings: Settings) -> None:
    lender = Lender(random.Random(1))
    lender.add(lender.make_loans(3))
    fill(database_url, settings, lender.table.values())
    with closing(psycopg2.connect(database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("UPDATE loans SET created_at = NULL WHERE id = 2")
    found = count_at(database_url, settings, Limit())
    assert (found.census.loans, found.arrived, found.future) == (1, 2, 0)


def test_before_postgresql_14_the_census_has_the_same_loans_and_knows_no_changes(
    database_url: str, settings: Settings, monkeypatch
) -> None:
    lender = Lender(random.Random(1))
    lender.add(lender.make_loans(50))
    fill(database_url, settings, lender.table.values())
    newer = count_at(database_url, settings, Limit(lender.now)).census
    monkeypatch.setattr(counting, "FIRST_WITH_HASHES_OF_RECORDS", 99)
    older = count_at(database_url, settings, Limit(lender.now)).census
    assert (older.loans, older.contents, sum(each > 0 for each in older.counts) > 40) == (50, "", True)
    assert not is_comparable(newer, older), "their buckets are others"
    lender.repair()
    fill(database_url, settings, lender.table.values())
    assert compare(older, 50, count_at(database_url, settings, Limit(lender.now)).census).changed is None


def test_if_a_hash_of_postgresql_changed_a_refresh_would_be_asked_for_and_no_loan_forgotten(
    database_url: str, settings: Settings
) -> None:
    lender = Lender(random.Random(1))
    lender.add(lender.make_loans(500))
    fill(database_url, settings, lender.table.values())
    found = count_at(database_url, settings, Limit(lender.now)).census
    held = replace(found, counts=(*found.counts[1:], found.counts[0]))
    assert compare(held, 500, found).lacking > 400
    assert compare(found, 500, found).lacking == 0
