"""A release whose name is too long is installed in part: Kubernetes refuses some objects, or never makes their pods."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.chart.managed_database import MANAGED

HELM = Path(__file__).parents[3] / "helm"
# What the objects of a release may be called. Job and Pod: the name becomes a label, or the name of a host.
MOST_CHARACTERS = {"Service": 63, "CronJob": 52, "StatefulSet": 52, "Job": 63, "Pod": 63}
NO_BACKUP = {"postgresql": {"backup": {"enabled": False}}}
NO_READERS = {**MANAGED, "dagsterWebserver": {"enableReadOnly": False}}


def find_limit(chart: Any) -> int:
    """The most characters of a release's name, by the names that the release `rel` gives to its objects."""
    names = [(each["kind"], each["metadata"]["name"]) for each in chart.objects]
    own = [(kind, name) for kind, name in names if kind in MOST_CHARACTERS and name.startswith("rel")]
    assert len(own) >= 5
    return min(MOST_CHARACTERS[kind] - len(name) + len("rel") for kind, name in own)


@pytest.mark.parametrize(
    ("values", "limit"),
    [({}, 33), (NO_BACKUP, 41), (MANAGED, 43), (NO_READERS, 44)],
    ids=["defaults", "no backup", "managed database", "no read-only webserver"],
)
def test_a_name_that_is_too_long_for_an_object_is_refused_with_the_limit(
    render, render_release, refused, values, limit
):
    assert find_limit(render(**values)) == limit
    assert render_release("r" * limit, values).objects
    with pytest.raises(refused, match=rf"it has {limit + 1} characters, and at most {limit} leave room for the"):
        render_release("r" * (limit + 1), values)


@pytest.mark.parametrize("name", ["1st-release", "credit.platform"])
def test_a_name_that_no_service_can_have_is_refused(render_release, refused, name) -> None:
    with pytest.raises(refused, match=f"release name {name}: expected a letter, then letters, digits and hyphens"):
        render_release(name, {})


@pytest.mark.parametrize("script", ["lineage", "restore"])
def test_a_job_that_a_person_starts_has_a_name_as_short_as_those_of_its_cronjob(script) -> None:
    (name,) = re.findall(r"^ *job=(.*)$", (HELM / script).read_text(), re.MULTILINE)
    made = subprocess.run(["bash", "-c", f"release=; echo {name}"], capture_output=True, text=True, check=True).stdout
    (cronjob,) = re.findall(r'--from="cronjob/\$release(.*?)"', (HELM / script).read_text())
    assert made.startswith(f"{cronjob}-")
    assert len(made.strip()) <= len(cronjob) + MOST_CHARACTERS["Job"] - MOST_CHARACTERS["CronJob"]


def test_the_page_about_the_installation_names_the_limit() -> None:
    page = (HELM.parent / "docs" / "kubernetes" / "install.md").read_text()
    assert "at most 33 characters, or 43 with a managed PostgreSQL" in page
