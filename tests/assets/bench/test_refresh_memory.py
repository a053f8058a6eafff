"""A benchmark that measures another process than a refresh says nothing about the pod of a run."""

from pathlib import Path

from bench.memory.refresh import STEPS
from bench.timing.children import DATABASE, make_module_command, run


def test_it_refreshes_a_table_of_its_own_and_knows_the_peak_of_each_step(database_url, tmp_path: Path) -> None:
    variables = {
        DATABASE: database_url,
        "PLATFORM_SETTINGS": str(tmp_path / "loans.toml"),
        "PLATFORM_STORE": (tmp_path / "store").as_uri(),
    }
    run(make_module_command("bench.memory.refresh", "fill", 5_000, 10, tmp_path), variables)
    peaks = run(make_module_command("bench.memory.refresh", "run", 20), variables).output
    assert set(peaks) == set(STEPS)
    assert all(100 < float(peak) < 1_000 for peak in peaks.values()), peaks
