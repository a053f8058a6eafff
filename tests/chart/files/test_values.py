"""A misspelled value that is taken without a word leaves the default in place, which shows on the day it matters."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[3]
CHART = ROOT / "helm" / "credit-platform"
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
REFERENCE = ROOT / "docs" / "kubernetes" / "values.md"


def test_a_misspelled_value_is_refused_with_its_name(render, refused) -> None:
    with pytest.raises(refused, match="pollInterval'"):
        render(dagsterDaemon={"runMonitoring": {"pollInterval": 3}})


@pytest.mark.parametrize(
    ("values", "refusal"),
    [
        ({"executor": "celery"}, "/executor"),
        ({"store": {"uri": "/tmp/store"}}, "/store/uri"),
        ({"image": {"digest": "latest"}}, "/image/digest"),
        ({"postgresql": {"enabled": False}}, "postgresqlHost"),
        ({"postgresql": {"enabled": False, "postgresqlHost": "db"}}, "postgresqlSecretName|loans.secretName"),
        ({"spot": {"nodeSelector": {"capacity": None}}}, "spot.nodeSelector"),
    ],
)
def test_a_value_that_can_not_work_is_refused_before_anything_is_installed(render, refused, values, refusal) -> None:
    with pytest.raises(refused, match=refusal):
        render(**values)


def test_the_schema_knows_every_value_and_no_other() -> None:
    known = list(objects(SCHEMA))
    assert len(known) > 30
    for path, node in known:
        assert node["additionalProperties"] is False, path
        here = VALUES
        for key in path:
            here = here[key]
        assert here.keys() == node["properties"].keys(), path


def objects(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    node = SCHEMA["definitions"][node["$ref"].rpartition("/")[2]] if "$ref" in node else node
    if "properties" in node:
        yield path, node
        for key, child in node["properties"].items():
            yield from objects(child, (*path, key))


def test_the_reference_is_what_the_values_file_says() -> None:
    command = [sys.executable, ROOT / "helm" / "values_reference.py"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert REFERENCE.read_text() == printed, (
        "after a change to values.yaml: .venv/bin/python helm/values_reference.py > docs/kubernetes/values.md"
    )


def test_the_reference_names_every_value_with_its_default() -> None:
    lines = re.findall(r"^- `([\w.]+)`: `(.+?)`(?:\.|$)", REFERENCE.read_text(), re.MULTILINE)
    assert len(lines) > 80
    for name, default in lines:
        here = VALUES
        for key in name.split("."):
            here = here[key]
        assert here == yaml.safe_load(default), name
    assert {name.partition(".")[0] for name, _ in lines} == VALUES.keys()
