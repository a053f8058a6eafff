"""Formats: how a value becomes the files of an artifact, and back.

Each format has a name, a version, and two pure functions. The version rises when old files can no longer be read.
The metadata `format` in an asset's definition names its format; a format is never guessed from a file.
"""

import io
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar


class Format(ABC):
    """One way to write a value as files, and to read it again."""

    name: ClassVar[str]
    version: ClassVar[int]

    @abstractmethod
    def encode(self, value: Any, stem: str) -> Mapping[str, bytes | Path]:
        """The files by name; the one that people ask for comes first. `stem` is the asset's name."""

    @abstractmethod
    def decode(self, files: Mapping[str, bytes]) -> Any:
        """The value. The caller has verified the bytes."""


class Parquet(Format):
    """A table as one Parquet file. It takes a `pyarrow.Table`, or the path of a Parquet file; it returns a table."""

    name = "parquet"
    version = 1

    def encode(self, value: Any, stem: str) -> Mapping[str, bytes | Path]:
        if isinstance(value, Path):
            return {f"{stem}.parquet": value}
        import pyarrow.parquet as pq

        buffer = io.BytesIO()
        pq.write_table(value, buffer, compression="zstd")
        return {f"{stem}.parquet": buffer.getvalue()}

    def decode(self, files: Mapping[str, bytes]) -> Any:
        import pyarrow as pa
        import pyarrow.parquet as pq

        (data,) = files.values()
        # An extraction writes hundreds of small row groups. Read at once, their pieces take twice the memory of the
        # table, so each column is read alone and put together.
        with pq.ParquetFile(pa.BufferReader(data)) as file:
            names = file.schema_arrow.names
            columns = [file.read(columns=[name]).combine_chunks().column(name) for name in names]
            return pa.table(columns, schema=file.schema_arrow)


class GroupedParquet(Parquet):
    """A table as one Parquet file with a row group for each value of its first column, whose rows stand together.

    A reader finds the rows of one value by the statistics of the groups, without reading the others.
    """

    name = "parquet_groups"
    version = 1

    def encode(self, value: Any, stem: str) -> Mapping[str, bytes | Path]:
        import numpy as np
        import pyarrow.compute as pc
        import pyarrow.parquet as pq

        table = value.combine_chunks()
        keys = table.column(0)
        changes = pc.not_equal(keys.slice(1), keys.slice(0, max(len(keys) - 1, 0))).to_numpy()
        starts = [0, *(np.flatnonzero(changes) + 1).tolist()]
        buffer = io.BytesIO()
        with pq.ParquetWriter(buffer, table.schema, compression="zstd", use_dictionary=False) as writer:
            for start, stop in zip(starts, [*starts[1:], table.num_rows], strict=True):
                writer.write_table(table.slice(start, stop - start))
        return {f"{stem}.parquet": buffer.getvalue()}


class Joblib(Format):
    """A fitted estimator as one compressed joblib file. Loading it executes code, so the bytes must be verified."""

    name = "joblib"
    version = 1

    def encode(self, value: Any, stem: str) -> Mapping[str, bytes | Path]:
        import joblib

        buffer = io.BytesIO()
        joblib.dump(value, buffer, compress=("zlib", 3))
        return {f"{stem}.joblib": buffer.getvalue()}

    def decode(self, files: Mapping[str, bytes]) -> Any:
        import joblib

        (data,) = files.values()
        return joblib.load(io.BytesIO(data))


@dataclass(frozen=True)
class Document:
    """A report: the data for programs, the text for people."""

    data: Mapping[str, Any]
    text: str


class Report(Format):
    """A document as a JSON file, and its plain text as a second file."""

    name = "report"
    version = 1

    def encode(self, value: Document, stem: str) -> Mapping[str, bytes | Path]:
        return {
            f"{stem}.json": json.dumps(value.data, indent=1, sort_keys=True, allow_nan=False).encode(),
            f"{stem}.txt": value.text.encode(),
        }

    def decode(self, files: Mapping[str, bytes]) -> Document:
        by_suffix = {Path(name).suffix: data for name, data in files.items()}
        return Document(json.loads(by_suffix[".json"]), by_suffix[".txt"].decode())


FORMATS: Mapping[str, Format] = {each.name: each for each in (Parquet(), GroupedParquet(), Joblib(), Report())}
