"""Drill 13. The release before is upgraded to this one, and rolled back, while runs are under way.

Three runs meet the upgrade: one trains through all of it; one waits in the queue and starts after it, with the image of
the release before; and one loses its worker right after it, so that a retry of this release continues what a worker of
the release before has committed. All end well, with the bytes of an undisturbed run. If one did not, nobody could
upgrade without stopping the runs first.

The drill builds the release before from its commit, so it needs LOAD and BUILD_FLAGS as `make deploy` does. It leaves
this release installed.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from resources.services.webserver import Webserver
from tests.drills.support.adapter import Nodes
from tests.drills.support.claims import assert_retried, assert_unharmed
from tests.drills.support.cluster import RELEASE, helm, list_pods, make_selector
from tests.drills.support.platform import LONG, Platform, give_resources
from tests.drills.support.releases import Version, build_version_before, read_installed_version

PARTS = ("webserver", "daemon", "code-server")
AT_ONCE = "dagsterDaemon.runCoordinator.config.queuedRunCoordinator.maxConcurrentRuns"
# A sixth of a core: the training, 40 s of one core, lasts longer than an upgrade, and its bytes are the same.
SLOW = {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"cpu": "150m", "memory": "2Gi"}}
# Assets that this release has added. A run that was requested from the release before does not make them.
ADDED = {"benchmark"}


@dataclass(frozen=True)
class Upgrade:
    """One upgrade, and the runs that met it. `began` and `lost_at` are Unix seconds.

    Attributes:
        before, after: uids of the pods of each part.
        images: images of each part's pods after the upgrade.
        under_way, queued, lost: ids of the runs.
        pod: the pod of the run under way, as it was before the upgrade.
        began: when training began in the run whose worker is lost.
        lost_at: when its worker was lost.
    """

    before: dict[str, set[str]]
    after: dict[str, set[str]]
    images: dict[str, set[str]]
    under_way: str
    queued: str
    lost: str
    pod: dict[str, Any]
    began: float
    lost_at: float


def read_image(pod: dict[str, Any] | None) -> str:
    """The image of a pod's container."""
    assert pod, "the pod is gone, and with it the name of its image"
    (container,) = pod["spec"]["containers"]
    return container["image"]


def list_living_pods(part: str) -> list[dict[str, Any]]:
    """The pods of a part that nobody has deleted."""
    return [pod for pod in list_pods(make_selector(part)) if "deletionTimestamp" not in pod["metadata"]]


def read_uids() -> dict[str, set[str]]:
    """The uids of the living pods of each part."""
    return {part: {pod["metadata"]["uid"] for pod in list_living_pods(part)} for part in PARTS}


def train_slowly(platform: Platform) -> str:
    return platform.train_long(LONG, tags=give_resources(SLOW))


def wait_for_training(platform: Platform, run: str) -> float:
    """Waits until a run has trained for five seconds, and returns when its training began."""
    return platform.wait_until("training has begun", lambda: platform.find_training_start(run, 5), 300)


@pytest.fixture(scope="module")
def digests_before(expected_long_digests) -> dict[str, str]:
    """Digests of the artifacts that the release before makes."""
    assert expected_long_digests.keys() > ADDED, "an asset was renamed"
    return {asset: digest for asset, digest in expected_long_digests.items() if asset not in ADDED}


@pytest.fixture(scope="module")
def versions(address, expected_long_digests, tmp_path_factory) -> Iterator[tuple[Version, Version]]:
    """This release, and the one before it. At the end this one is installed, even if a drill failed."""
    new = read_installed_version(tmp_path_factory.mktemp("installed"))
    # Two runs at once: a third one waits in the queue.
    old = build_version_before(new, tmp_path_factory.mktemp("before"), "--set", f"{AT_ONCE}=2")
    assert old.image != new.image, "this checkout is the release before"
    try:
        yield new, old
    finally:
        new.install(Webserver(address))


@pytest.fixture(scope="module")
def upgrade(versions, address, trees_per_second) -> Upgrade:
    """Upgrades from the release before to this one, with three runs that meet the upgrade."""
    new, old = versions
    platform = Platform(Webserver(address), Nodes(), lambda **_: None, trees_per_second)
    old.install(platform.webserver)
    under_way, lost = train_slowly(platform), train_slowly(platform)
    wait_for_training(platform, under_way)
    began = wait_for_training(platform, lost)
    queued = platform.train_long(LONG)
    pod, victim, before = platform.find_pod(under_way), platform.find_pod(lost), read_uids()
    assert read_image(pod) == read_image(victim) == old.image, "the runs do not have the image of the release before"
    assert platform.webserver.read_run(queued)["status"] == "QUEUED", "the run did not wait for a place"

    new.install(platform.webserver)
    for run in (under_way, lost):
        status = platform.webserver.read_run(run)["status"]
        assert status == "STARTED", f"{run} is {status}: it ended before the upgrade did, and has not met all of it"
    lost_at = time.time()
    assert victim, "the run has no pod"
    platform.kubectl("delete", "pod", victim["metadata"]["name"], "--force", "--grace-period=0")
    images = {part: {read_image(pod) for pod in list_living_pods(part)} for part in PARTS}
    assert pod, "the run has no pod"
    return Upgrade(before, read_uids(), images, under_way, queued, lost, pod, began, lost_at)


def test_an_upgrade_replaces_every_pod_of_the_control_plane(versions, upgrade) -> None:
    new, _ = versions
    for part in PARTS:
        assert upgrade.before[part], part
        assert not upgrade.before[part] & upgrade.after[part], f"{part}: a pod of the release before is still there"
        assert upgrade.images[part] == {new.image}, part


def test_a_run_whose_worker_is_lost_after_an_upgrade_continues_in_the_new_release(
    platform, digests_before, versions, upgrade
) -> None:
    new, _ = versions
    platform.runs.append(upgrade.lost)
    fault = "upgrade from the release before, then the worker is lost"
    # Beside others: each of these runs may be promoted before another of them.
    retry = assert_retried(
        platform, digests_before, fault, upgrade.lost, upgrade.began, upgrade.lost_at, beside_others=True
    )
    assert read_image(platform.find_pod(retry)) == new.image, "the retry did not run in the new release"


def test_a_run_under_way_is_not_touched_by_an_upgrade(platform, digests_before, versions, upgrade) -> None:
    _, old = versions
    run = upgrade.under_way
    platform.runs.append(run)
    assert_unharmed(platform, digests_before, "upgrade from the release before, run under way", run, beside_others=True)
    pod = platform.find_pod(run)
    assert pod, "the pod of the run is gone"
    assert pod["metadata"]["uid"] == upgrade.pod["metadata"]["uid"], "the run has another pod"
    assert read_image(pod) == old.image


def test_a_run_that_waits_in_the_queue_during_an_upgrade_starts_after_it(
    platform, digests_before, versions, upgrade
) -> None:
    _, old = versions
    platform.runs.append(upgrade.queued)
    fault = "upgrade from the release before, run in the queue"
    assert_unharmed(platform, digests_before, fault, upgrade.queued, beside_others=True)
    assert read_image(platform.find_pod(upgrade.queued)) == old.image, "a run keeps the image that it was launched with"


def test_a_run_under_way_is_not_touched_by_a_rollback_to_the_release_before(
    platform, expected_long_digests, versions, upgrade
) -> None:
    new, old = versions
    run = train_slowly(platform)
    wait_for_training(platform, run)
    pod, before = platform.find_pod(run), read_uids()
    assert read_image(pod) == new.image
    try:
        helm("rollback", RELEASE)
        platform.webserver.wait_for_location(120)
        assert platform.webserver.read_run(run)["status"] == "STARTED", "the run ended before the rollback did"
        for part in PARTS:
            after = list_living_pods(part)
            assert not before[part] & {each["metadata"]["uid"] for each in after}, f"{part}: not replaced"
            assert {read_image(each) for each in after} == {old.image}, part
        assert_unharmed(platform, expected_long_digests, "rollback to the release before", run, beside_others=True)
        now = platform.find_pod(run)
        assert pod, "the run had no pod"
        assert now, "the pod of the run is gone"
        assert now["metadata"]["uid"] == pod["metadata"]["uid"], "the run has another pod"
    finally:
        new.install(platform.webserver)
