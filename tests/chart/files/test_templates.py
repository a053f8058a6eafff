"""Where each pod has its own copy of the common fields, one pod keeps rights or a place that nobody meant."""

import re
from pathlib import Path

import pytest

from tests.chart.managed_database import MANAGED

TEMPLATES = Path(__file__).parents[3] / "helm" / "credit-platform" / "templates"
FILES = {str(path.relative_to(TEMPLATES)): path.read_text() for path in TEMPLATES.rglob("*.*") if path.is_file()}
# What only the helper for pods, or for containers, may write.
FIELDS_OF_PODS = (
    r"enableServiceLinks:|imagePullSecrets:|imagePullPolicy:|podSecurity|containerSecurity|platform\.placement"
)
# The instance describes the pod of a run in Dagster's own words.
EXEMPT = {"helpers/_pod.tpl", "helpers/_placement.tpl", "instance/_run-launcher.tpl"}


def test_a_template_holds_one_object_and_fits_on_a_screen() -> None:
    for name, text in FILES.items():
        assert len(text.splitlines()) <= 80, name
        assert text.count("\nkind: ") <= 1 or name.endswith(".tpl"), name
        assert "\n---" not in text, name


def test_a_folder_holds_one_part_in_at_most_ten_files() -> None:
    folders = [path for path in TEMPLATES.rglob("*") if path.is_dir()]
    assert len(folders) >= 8
    for folder in [TEMPLATES, *folders]:
        assert len([path for path in folder.iterdir() if path.is_file()]) <= 10, folder.name


def test_every_pod_has_its_common_fields_from_one_helper(chart) -> None:
    copies = {name for name, text in FILES.items() if re.search(FIELDS_OF_PODS, text)} - EXEMPT
    assert not copies, "these fields belong into helpers/_pod.tpl"
    for name, template in chart.pods().items():
        spec = template["spec"]
        assert spec["enableServiceLinks"] is False, name
        assert "automountServiceAccountToken" in spec, name
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            assert {"image", "imagePullPolicy", "resources", "securityContext"} <= container.keys(), name


def test_every_pod_can_fetch_its_image_from_a_registry_that_asks_for_a_password(render) -> None:
    chart = render(imagePullSecrets=[{"name": "registry"}])
    for name, template in chart.pods().items():
        assert template["spec"]["imagePullSecrets"] == [{"name": "registry"}], name
    assert chart.instance["run_launcher"]["config"]["image_pull_secrets"] == [{"name": "registry"}]


def test_one_template_refuses_values_and_makes_no_object() -> None:
    refusing = {name for name, text in FILES.items() if re.search(r"\b(fail|required) \"", text)}
    assert refusing == {"validation.yaml"}
    assert "kind:" not in FILES["validation.yaml"]


@pytest.mark.parametrize("missing", ["postgresql.postgresqlHost", "global.postgresqlSecretName", "loans.secretName"])
def test_a_managed_database_without_one_of_its_names_is_refused_by_that_name(render, refused, missing) -> None:
    section, _, name = missing.partition(".")
    without = {key: value for key, value in MANAGED[section].items() if key != name}
    with pytest.raises(refused, match=missing):
        render(**{**MANAGED, section: without})
    assert render(**MANAGED).objects
