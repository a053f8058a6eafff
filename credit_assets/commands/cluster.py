"""What a release on a cluster needs beside Dagster's own programs.

`prepare_release` runs before the first run: the store and the loans are there, or the installation fails and says why.
`materialize_release` looks at a release from outside, as a browser would: through its webserver.
"""

import sys
import time

from credit_assets.commands.one_machine.own_tables import seed_applications, seed_loans
from credit_assets.jobs import REFRESH
from credit_assets.measurement.figures import UNDEFINED, format_figure
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment
from resources.services.webserver import Webserver
from resources.store.opening import open_store

REPORT = "model_metrics"


def prepare_release(deployment: Deployment, *, seed: bool) -> None:
    """Makes the bucket, proves that it keeps the first of two writers, and fills the tables if they are ours.

    Raises:
        DeploymentError, SettingsError, DatabaseError, StoreError: which of them is missing, or wrong.
    """
    settings = load_settings(deployment.require("settings"))
    store = open_store(deployment.require("store"))
    print(f"store {store.uri} is there and keeps the first of two writers")
    if seed:
        seed_loans(settings, deployment.require("database_url"))
        seed_applications(settings, deployment.require("database_url"))


def materialize_release(webserver: Webserver, patience_seconds: float) -> int:
    """Materializes all assets in one run, waits for it, and prints the metrics; returns the exit code.

    Raises:
        WebserverError: the webserver does not answer, or the run has not ended in time.
    """
    began = time.monotonic()
    run = webserver.launch(REFRESH)
    if code := wait_for_run(webserver, run, patience_seconds):
        return code
    print(f"done after {time.monotonic() - began:.1f} s")
    for label, value in webserver.read_latest_metadata(REPORT).items():
        if isinstance(value, float) or value == UNDEFINED:
            print(f"  {label:<12} {format_figure(None if value == UNDEFINED else value)}")
    return 0


def wait_for_run(webserver: Webserver, run: str, patience_seconds: float) -> int:
    """Waits until a run has ended, and prints its status and why it failed; returns the exit code.

    Raises:
        WebserverError: the webserver does not answer, or the run has not ended in time.
    """
    print(f"run {run}: {webserver.url}/runs/{run}", flush=True)
    status = webserver.wait_for_run(run, patience_seconds)
    print(status)
    if status == "SUCCESS":
        return 0
    for reason in webserver.read_failure_reasons(run):
        print(f"error: {reason}", file=sys.stderr)
    return 1
