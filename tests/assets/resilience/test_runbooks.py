"""A question in a runbook that PostgreSQL refuses is found out at night, by whoever was woken."""

import os
import re
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from resources.supervision.lease_table import CREATE_TABLE

PAGES = sorted((Path(__file__).parents[3] / "docs" / "runbooks").glob("*.md"))
QUESTIONS = [
    (page.stem, each) for page in PAGES for each in re.findall(r'^ask "(.+)"$', page.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize(("page", "question"), QUESTIONS)
def test_postgresql_answers_every_query_of_the_runbooks(instance, page, question) -> None:
    with closing(psycopg2.connect(os.environ["PLATFORM_HISTORY_URL"])) as connection, connection.cursor() as cursor:
        cursor.execute(CREATE_TABLE)
        cursor.execute(question)
        cursor.fetchall()


def test_the_runbooks_with_queries_are_found() -> None:
    assert {page for page, _ in QUESTIONS} >= {"retry-missing", "no-leader", "workers-crash"}
