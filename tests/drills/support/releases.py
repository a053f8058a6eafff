"""Two versions of the release: the one of this checkout, and the one before it, built from its commit.

Belongs here: how a version is built and installed. Does not belong here: what a drill expects of an upgrade.
"""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import tenacity

from resources.services.webserver import Webserver, WebserverError
from tests.drills.support.cluster import CHART, NAMESPACE, RELEASE, helm

ROOT = Path(__file__).parents[3]
# The commit of the release before. Whoever makes a release sets it to the commit of the last one.
COMMIT_BEFORE = "faa178ebf4f150235a398011c172464018ce026b"

# So many answers in a row must come from the new code, because several webservers answer, and each loads it by itself.
ANSWERS = 10
# Seconds of patience for one answer, so short that the question is asked once; and for all of them.
ONCE, PATIENCE = 0.1, 120


@dataclass(frozen=True)
class Version:
    """One version of the release.

    Attributes:
        chart: folder of its chart.
        image: full name of its image.
        flags: words for `helm upgrade` that set its values.
    """

    chart: Path
    image: str
    flags: tuple[str, ...]

    def install(self, webserver: Webserver) -> None:
        """Makes this version the installed one, and waits until its pods are ready and have loaded its code."""
        helm("upgrade", RELEASE, str(self.chart), "--reset-values", *self.flags)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception_type(WebserverError),
            stop=tenacity.stop_after_delay(PATIENCE),
            wait=tenacity.wait_fixed(1),
            reraise=True,
        )
        retrying(self.confirm_answers, webserver)

    def confirm_answers(self, webserver: Webserver) -> None:
        """Raises WebserverError unless each of many answers in a row comes from this version's code."""
        for _ in range(ANSWERS):
            webserver.wait_for_location(ONCE, self.image)


def read_installed_version(folder: Path) -> Version:
    """Reads the version of this checkout, which `make deploy` has installed.

    Args:
        folder: gets a file with the values that the release was installed with.
    """
    command = ["helm", "get", "values", RELEASE, "--namespace", NAMESPACE, "--output", "json"]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    values = json.loads(text) or {}
    (folder / "values.json").write_text(json.dumps(values))
    image = values.get("image", {})
    assert not image.get("digest"), "the release before is built here, and has a tag: install this one by tag as well"
    name = f"{image.get('repository', 'credit-platform')}:{image.get('tag', 'dev')}"
    return Version(Path(CHART), name, ("--values", str(folder / "values.json")))


def build_version_before(installed: Version, folder: Path, *flags: str) -> Version:
    """Builds the release before from its commit, and loads it into the cluster. It has the installed version's values.

    Args:
        installed: the version of this checkout.
        folder: gets the files of the commit.
        flags: more words for `helm upgrade`.
    """
    archive = subprocess.run(["git", "archive", COMMIT_BEFORE], cwd=ROOT, check=False, capture_output=True)
    assert not archive.returncode, (
        f"git archive {COMMIT_BEFORE}: {archive.stderr.decode()}This drill needs the commit of the release before: "
        "in a shallow clone, `git fetch --unshallow` brings it"
    )
    subprocess.run(["tar", "--extract", "--directory", str(folder)], input=archive.stdout, check=True)
    repository = installed.image.rpartition(":")[0]
    environment = {**os.environ, "REPOSITORY": repository}
    built = subprocess.run(
        ["helm/image", str(folder)], cwd=ROOT, env=environment, check=False, capture_output=True, text=True
    )
    assert not built.returncode, f"helm/image {folder}: {built.stderr}"
    tag = built.stdout.strip()
    chosen = (*installed.flags, "--set-string", f"image.tag={tag}", *flags)
    return Version(folder / "helm" / "credit-platform", f"{repository}:{tag}", chosen)
