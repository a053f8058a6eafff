"""Commands that open nothing, and an environment that names nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from credit_assets.commands import lineage, retention
from credit_assets.commands.one_machine import local
from credit_assets.settings.file import SettingsError

VARIABLES = ("PLATFORM_STORE", "PLATFORM_SETTINGS", "CREDIT_SETTINGS", "DAGSTER_HOME")


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment without the variables that choose settings, store and history."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def opened(bare_environment: None, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The settings files whose platform or history a command opens. The command fails there."""
    files: list[Path] = []

    @contextmanager
    def open_local(settings: Path, _outside: Any) -> Iterator[None]:
        files.append(settings)
        raise SettingsError("no further")
        yield

    for module, name in (
        (local, "local_platform"),
        (local, "local_history"),
        (lineage, "local_history"),
        (retention, "local_platform"),
    ):
        monkeypatch.setattr(module, name, open_local)
    return files
