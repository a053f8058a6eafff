"""Columns that a test makes up: values with the type that a catalogue would say."""

from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa
import pytest

from credit_assets.inspection.reading.catalogue import FoundColumn
from credit_assets.inspection.reading.facts import Facts, describe_column
from credit_assets.tables.kinds import ColumnType

FORMS = {"integer": pa.int64(), "numeric": pa.float64(), "timestamp with time zone": pa.float64()}
MakeFacts = Callable[..., Facts]


def make_values(sql_type: str, values: Sequence[Any]) -> pa.ChunkedArray:
    """Values as a sample has them."""
    return pa.chunked_array([pa.array(values, FORMS.get(sql_type, pa.string()))])


@pytest.fixture
def facts() -> MakeFacts:
    """Makes the facts of a column from its name, its SQL type, and its values in a sample."""

    def make(name: str, sql_type: str, values: Sequence[Any], key: str = "") -> Facts:
        return describe_column(FoundColumn(name, ColumnType(sql_type, sql_type), key), make_values(sql_type, values))

    return make


@pytest.fixture
def values() -> Callable[[str, Sequence[Any]], pa.ChunkedArray]:
    """Makes the values of a column of an SQL type."""
    return make_values
