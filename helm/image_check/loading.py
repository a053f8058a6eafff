"""Every module of ours and of Dagster's programs imports, and every shared library finds the ones that it needs."""

import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points

OURS = ("credit_assets", "resources", "sensors")
# Dagster imports parts of these by name, when a run or a tick needs them.
DAGSTER = (
    "dagster._daemon",
    "dagster._grpc",
    "dagster_aws.s3",
    "dagster_graphql",
    "dagster_k8s",
    "dagster_postgres",
    "dagster_webserver",
)
# A program would run, and a fixture of tests needs pytest.
NEITHER = re.compile(r"\.(__main__|test\w*)(\.|$)")
PROGRAMS = {"credit-platform", "dagster", "dagster-daemon", "dagster-webserver"}

# In a process of its own that ends at once: a library that is opened without its module may crash at the end.
OPEN_ALL = """
import ctypes, os, pathlib, sys
failed = []
for path in sorted(pathlib.Path(sys.prefix).rglob("*.so*")):
    try:
        ctypes.CDLL(str(path))
    except OSError as error:
        failed.append(f"{path}: {error}")
print(*failed, sep="\\n", flush=True)
os._exit(bool(failed))
"""


def list_modules(package: str) -> Iterator[str]:
    """The dotted names of a package and of all that is below it."""
    yield package
    for found in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not NEITHER.search(found.name):
            yield found.name


def import_modules() -> None:
    """Raises ImportError if a module of ours or of Dagster's programs needs what is not there."""
    for package in (*OURS, *DAGSTER):
        for name in list_modules(package):
            importlib.import_module(name)
    found = {each.name: each for each in entry_points(group="console_scripts") if each.name in PROGRAMS}
    for name in PROGRAMS:
        found[name].load()


def open_libraries() -> None:
    """Raises RuntimeError if a shared library can't be opened: it is damaged, or one that it needs is not there."""
    opened = subprocess.run([sys.executable, "-c", OPEN_ALL], check=False, capture_output=True, text=True)
    if opened.returncode:
        raise RuntimeError(opened.stdout + opened.stderr)
