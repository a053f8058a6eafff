"""A script that prints more than a tag, or a tag for an image that never reached the nodes, upgrades to nothing."""

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]
DOCKER = """#!/bin/sh
echo "docker $*"
while [ $# -gt 0 ]; do
  [ "$1" = --iidfile ] && printf sha256:0123456789abcdef0123456789 > "$2"
  shift
done
"""


@pytest.fixture
def build(tmp_path):
    """Calls helm/image on this checkout, with a docker that only prints what it is to do."""
    (tmp_path / "docker").write_text(DOCKER)
    (tmp_path / "docker").chmod(0o755)

    def call(**variables: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", **variables}
        command = [REPOSITORY / "helm" / "image", REPOSITORY]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    return call


def test_it_prints_the_tag_and_nothing_else(build) -> None:
    done = build(LOAD="echo loaded", BUILD_FLAGS="--network host", REPOSITORY="registry/platform")
    assert done.stdout == "0123456789ab\n"
    assert "--network host" in done.stderr
    assert "loaded registry/platform:0123456789ab" in done.stderr


def test_an_image_that_does_not_reach_the_nodes_has_no_tag(build) -> None:
    done = build(LOAD="false")
    assert done.returncode
    assert not done.stdout
