"""A page that says a name which the code does not have makes its reader doubt every other page."""

import importlib
import re
import subprocess
from dataclasses import fields
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from credit_assets.commands.main import cli
from credit_assets.definitions import build_defs
from resources.deployment import Deployment
from tests.support.pages import PAGES, ROOT, code_blocks, name_of, spans

FOLDERS = "credit_assets|resources|sensors|tests|helm|docs|settings|data|bench|simulation|studies|requirements"
PATH = re.compile(rf"(?:{FOLDERS})/[\w./*-]*")
DOTTED = re.compile(r"(?<![\w.])(?:credit_assets|resources|sensors|bench|studies|tests)(?:\.\w+)+")
# Files that a reader is to make.
TO_BE_MADE = {"credit_assets/default_rate.py", "settings/my_table.toml", "settings/my_loans.toml"}
# What belongs to others, or is put together by the code.
FOREIGN = {
    "my_table", "pick_first", "http_auth", "XDG_RUNTIME_DIR", "libfaketimeMT", "default_rate",
    "RetryPolicy", "RemoveDuplicates", "RemovePodsViolatingTopologySpreadConstraint", "nodeTaintsPolicy",
    "capacityType", "dagster_replaced", "lending_replaced", "dagster_restoring", "lending_restoring",
}  # fmt: skip


@pytest.fixture(scope="module")
def values() -> set[str]:
    """The names of all values of the chart, each with its section before it."""

    def below(node: Any, path: str) -> set[str]:
        found = {path}
        for key, each in node.items() if isinstance(node, dict) else ():
            found |= below(each, f"{path}.{key}" if path else key)
        return found

    return below(yaml.safe_load((ROOT / "helm" / "credit-platform" / "values.yaml").read_text()), "")


@pytest.fixture(scope="module")
def vocabulary() -> set[str]:
    """Every word of every file that is not documentation."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if listed.returncode:
        pytest.skip("no git here: an archive of the sources")
    files = [ROOT / name for name in listed.stdout.splitlines() if not name.endswith((".md", ".png"))]
    text = "\n".join(file.read_text(errors="replace") for file in files if file.is_file() and file != Path(__file__))
    return {file.stem for file in files} | set(re.findall(r"\w+", text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_path_and_module_that_a_page_names_exists(page: Path, values: set[str]) -> None:
    found = {each for span in spans(page) for each in PATH.findall(span)} - TO_BE_MADE
    missing = [each for each in found if not list(ROOT.glob(each.rstrip("/.")))]
    modules = {name for span in spans(page) if not PATH.search(span) for name in DOTTED.findall(span)}
    modules = {name for name in modules if not any(value.endswith(name) for value in values)}
    modules |= {
        name
        for code in code_blocks(page)
        for name in re.findall(r"-m ((?:credit_assets|resources|bench|studies)[\w.]*)", code)
    }
    missing += [name for name in modules if not exists(name)]
    assert not missing, f"{name_of(page)} names {missing}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_a_function_is_in_the_file_in_which_a_page_says_that_it_is(page: Path) -> None:
    text = re.sub(r"\[[^\]]*\]\((?:\.\./)*([^)]+)\)", r"`\1`", " ".join(page.read_text().split()))
    for function, file in re.findall(r"`(\w+)\(\)` (?:in|of) `([\w/]+\.py)`", text):
        assert f"def {function}(" in (ROOT / file).read_text(), f"{name_of(page)}: {function}() is not in {file}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_name_that_the_code_of_a_page_imports_exists(page: Path) -> None:
    ours = r"^\s*from ((?:credit_assets|resources|sensors|bench|studies)[\w.]*) import ([\w, ]+)$"
    imports = [each for code in code_blocks(page) for each in re.findall(ours, code, re.MULTILINE)]
    missing = [
        f"{module}.{name.strip()}"
        for module, names in imports
        for name in names.split(",")
        if not hasattr(importlib.import_module(module), name.strip())
    ]
    assert not missing, f"{name_of(page)} imports {missing}"


def exists(module: str) -> bool:
    """Whether there is a module of this name, in the checkout."""
    path = ROOT / module.replace(".", "/")
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


@pytest.mark.parametrize("page", [each for each in PAGES if each.name != "CHANGELOG.md"], ids=name_of)
def test_every_name_in_a_page_is_a_name_in_the_code(page: Path, vocabulary: set[str]) -> None:
    named = {word for span in spans(page) for word in re.findall(r"[A-Za-z_]\w*", span)}
    named = {word for word in named if re.search(r"[a-z0-9]_[a-z0-9]|[a-z][A-Z]|[A-Z]_[A-Z]", word)}
    unknown = sorted(word for word in named - FOREIGN if word not in vocabulary)
    assert not unknown, f"{name_of(page)} names {unknown}, which stand in no file of code"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_value_of_the_chart_that_a_page_names_exists(page: Path, values: set[str]) -> None:
    sections = {name.split(".")[0] for name in values}
    named = {re.split(r"[=: ]", span)[0].replace("\\.", "/") for span in spans(page)}
    named = {each for each in named if re.fullmatch(r"[a-z]\w*(\.\w+)+", each) and each.split(".")[0] in sections}
    if page.parent.name != "your-table":  # they name sections of the settings
        missing = {each for each in named if not known(each, values)}
        assert not missing, f"{name_of(page)} names {missing}, which values.yaml does not have"


def known(value: str, values: set[str]) -> bool:
    """Whether a value is there, or below one that is free (a node selector, a file name such as values.yaml)."""
    return any(value == each or value.startswith(f"{each}.nodeSelector") for each in values) or value.endswith(
        (".yaml", ".json", ".toml", ".nodeSelector.capacity")
    )


def test_the_readme_lists_every_sensor_and_schedule() -> None:
    section = (ROOT / "README.md").read_text().split("## When it runs")[1].split("## ")[0]
    defs = build_defs(Deployment())
    names = {each.name for each in [*(defs.sensors or ()), *(defs.schedules or ())]}
    assert set(re.findall(r"^- `(\w+)`", section, re.MULTILINE)) == names


def test_the_readme_and_the_changelog_have_the_variables_of_the_deployment() -> None:
    table = [each.metadata for each in fields(Deployment)]
    defaults = {each.metadata["name"]: each.default for each in fields(Deployment)}
    rows = re.findall(r"^\| `(\w+)` \| .+ \| (.+) \|$", (ROOT / "README.md").read_text(), re.MULTILINE)
    shown = dict(rows)
    assert len(shown) >= 8
    assert shown.keys() <= defaults.keys()
    for name, stated in shown.items():
        if name in ("PLATFORM_EXECUTOR", "PLATFORM_UI_URL"):
            assert stated == f"`{defaults[name]}`", name
        else:
            assert defaults[name] is None, f"{name} has a default in code"
    changelog = (ROOT / "CHANGELOG.md").read_text().split("### Names of environment variables")[1].split("\n## ")[0]
    renamed = [
        pair
        for old, new in re.findall(r"^\| (`.+`) \| (`.+`) \|$", changelog, re.MULTILINE)
        for pair in zip(re.findall(r"\w+", old), re.findall(r"\w+", new), strict=True)
    ]
    assert sorted(renamed) == sorted((row["old"], row["name"]) for row in table if row["old"])


def test_every_subcommand_that_pages_name_exists_with_its_options() -> None:
    named = set()
    for page in PAGES:
        for text in [*spans(page), *code_blocks(page)]:
            named |= set(re.findall(r"credit-platform ([a-z]+)(.*)", text))
    assert {"lineage", "promote"} <= {name for name, _ in named}
    for name, rest in named:
        command = cli.commands[name]
        options = {option for each in command.params for option in each.opts}
        assert set(re.findall(r"(?<!\S)--[a-z-]+", rest)) <= options | {"--help"}, f"{name}{rest}"


def test_the_run_config_that_pages_show_is_accepted(tmp_path: Path) -> None:
    deployment = Deployment(settings="settings/loans.toml", store=tmp_path.as_uri(), database_url="postgresql://unused")
    defs = build_defs(deployment)
    shown = [yaml.safe_load(code) for page in PAGES for code in code_blocks(page, "yaml")]
    assert len(shown) >= 3
    jobs = {
        "training": "refresh",
        "loan_dataset": "refresh",
        "promotion_by_hand": "promote_by_hand",
        "segment_prices": "price_segments",
        "retention": "apply_retention",
        "wave": "rescore",
    }
    for config in shown:
        (step,) = config["ops"]
        assert dg.validate_run_config(defs.resolve_job_def(jobs[step]), config)
