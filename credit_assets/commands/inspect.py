"""`credit-platform inspect`: a draft of the settings for a table, written to a file that is not there yet.

Belongs here: which database is opened, and what is printed. Does not belong here: the draft
(`credit_assets.inspection`).
"""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from credit_assets.commands.one_machine.local import check_name, find_home
from credit_assets.commands.options import DONE, OPEN
from credit_assets.inspection.draft import check_draft, find_marks, write_draft
from credit_assets.inspection.inspection import draft_sections, find_tables, say_empty, write_header
from credit_assets.inspection.lines import FILL_IN
from credit_assets.inspection.reading.catalogue import FoundTable, read_tables
from credit_assets.inspection.reading.sample import InspectionError, read_sample
from credit_assets.settings.names import quote_name, split_table
from resources.deployment import Deployment
from resources.machine.embedded_postgres import use_postgres
from resources.services.database import Database

FOLDER = Path("settings")


def inspect_table(outside: Deployment, name: str | None, output: Path | None) -> int:
    """Writes the draft of one table, or lists the tables that could be meant; returns the exit code.

    Args:
        outside: names the database; without it, that of `make run`.
        name: of the table, with or without its schema.
        output: the file to write; None for one in `settings` with the table's name.

    Raises:
        InspectionError: there is no such table, or the file is there already.
        SettingsError: the file's name can't be that of a settings file.
        NoCheckout, PostgresError, DatabaseError: the database can't be opened or read.
    """
    if path := output or _name_file(name):
        _check_output(path)
    with _open_database(outside) as database:
        with database.open_snapshot() as cursor:
            found = find_tables(read_tables(cursor), name)
        if len(found) > 1:
            print("\n".join(_list_tables(found)))
            return OPEN
        (table,) = found
        path = path or _name_file(quote_name(table.name)) or FOLDER / "table.toml"
        _check_output(path)
        with database.with_row_policy("apply" if table.hides_rows else "refuse").open_snapshot() as cursor:
            sample = read_sample(cursor, table)
    header, sections = write_header(table, sample), draft_sections(table, sample)
    check_draft(header, sections)
    text = write_draft(header, sections)
    _write(path, text)
    marks = find_marks(text)
    print("".join(f"{line}\n" for line in say_empty(table, sample)), end="")
    counts = {
        what: sum(line.state == state for lines in (sections["features"], sections["personal"]) for line in lines)
        for what, state in (("columns are declared", "kept"), ("left out with the reason", "left out"))
    }
    print(f"{path}: " + ", ".join(f"{count:,} {what}" for what, count in counts.items()))
    print("\n".join(f"{path}:{number}: {line}" for number, line in marks))
    if any(f"# {FILL_IN}" in line for _, line in marks):
        print(f"Fill in the lines with {FILL_IN[:-1]}, look at the others, then: make run SETTINGS={path}")
        return OPEN
    print(f"Look at these lines, then: make run SETTINGS={path}")
    return DONE


@contextmanager
def _open_database(outside: Deployment) -> Iterator[Database]:
    if outside.database_url:
        yield Database(url=outside.database_url)
        return
    with use_postgres(find_home() / "postgres") as server:
        yield Database(url=server.create_database("lending"))


def _check_output(path: Path) -> None:
    check_name(path)
    if path.exists():
        raise InspectionError(f"{path} is there already, and is not overwritten: name another file by --output")
    folder = next(each for each in path.absolute().parents if each.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise InspectionError(
            f"{path} can't be written: {folder} is no folder that takes files. Name another by --output"
        )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        _check_output(path)


def _name_file(table: str | None) -> Path | None:
    """The file of a table: its name without what the name of a settings file can't have. None if no table is named."""
    try:
        own = split_table(table)[-1] if table else ""
    except ValueError:
        return None
    return FOLDER / f"{re.sub(r'[^A-Za-z0-9_]+', '_', own).strip('_')[:50] or 'table'}.toml" if own else None


def _list_tables(tables: Sequence[FoundTable]) -> list[str]:
    rows = [
        (
            table.full_name,
            table.kind,
            "rows not counted" if table.estimate is None else f"about {table.estimate:,} rows",
        )
        for table in tables
    ]
    widths = [max(len(row[place]) for row in rows) for place in range(2)]
    listed = [f"  {name:<{widths[0]}}  {kind:<{widths[1]}}  {estimate}" for name, kind, estimate in rows]
    return [f"{len(rows):,} tables could be meant:", *listed, "Name one by --table. Nothing was written."]
