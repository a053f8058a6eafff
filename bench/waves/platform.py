"""A platform for one benchmark: its own PostgreSQL, store, settings, locations, and a promoted model.

Belongs here: what has to be there before a wave is timed. Does not belong here: what is timed.
"""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.timing.children import DATABASE, REPOSITORY, ProcessResult, make_module_command, run, show_progress
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres


@dataclass(frozen=True)
class BenchPlatform:
    """A platform while its PostgreSQL runs.

    Attributes:
        environment: the variables of its processes.
        applications: how many there are, decided ones included.
    """

    environment: Mapping[str, str]
    applications: int

    def run_contender(self, name: str, *arguments: str | int) -> ProcessResult:
        """Runs one contender of the waves in a process of its own.

        Raises:
            BenchError: it failed.
        """
        return run(make_command(name, *arguments), self.environment)

    def execute(self, statement: str, *values: object) -> None:
        """Executes one statement in the database of locations and applications."""
        import psycopg2

        with (
            closing(psycopg2.connect(self.environment[DATABASE])) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement, values)


@contextmanager
def open_platform(locations: int, applications: int = 50) -> Iterator[BenchPlatform]:
    """Starts PostgreSQL, trains and promotes a model, and fills the tables of locations and applications.

    Args:
        locations: how many.
        applications: open ones, in each location.

    Raises:
        BenchError: the training failed.
    """
    with tempfile.TemporaryDirectory() as scratch, use_postgres(Path(scratch, "postgres")) as server:
        environment = make_environment(Path(scratch), server, locations, applications)
        show_progress(f"training a model, making {locations:,} locations")
        made = run(make_command("model", locations), environment)
        yield BenchPlatform(environment, int(made.output["done"]))


def make_command(name: str, *arguments: str | int) -> list[str]:
    """The command of one contender."""
    return make_module_command("bench.waves.contenders", name, *map(str, arguments))


def make_environment(scratch: Path, server: EmbeddedPostgres, locations: int, applications: int) -> dict[str, str]:
    """The variables of a platform with its own databases, store and settings, and of stock Dagster beside it."""
    home = scratch / "home"
    home.mkdir()
    shutil.copy(REPOSITORY / "local" / "dagster.yaml", home)
    declared = (REPOSITORY / "settings" / "loans.toml").read_text()
    settings = scratch / "loans.toml"
    seeded = declared.replace("locations = 200", f"locations = {locations}")
    settings.write_text(seeded.replace("applications = 50", f"applications = {applications}"))
    lending = server.create_database("lending")
    return {
        DATABASE: lending,
        "PLATFORM_SCORES_URL": lending,
        "PLATFORM_HISTORY_URL": server.create_database("history"),
        "PLATFORM_SETTINGS": str(settings),
        "PLATFORM_STORE": (scratch / "store").as_uri(),
        "DAGSTER_HOME": str(home),
        "STOCK_HISTORY_URL": server.create_database("stock"),
    }
