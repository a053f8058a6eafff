"""What a release on a cluster needs beside Dagster's own programs, as `python -m credit_assets.commands.cluster`.

`prepare` runs in the release before its first run: the store and the loans are there, or the installation fails and
says why. `check` and `materialize` look at a release from outside, as a browser would: through its webserver.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence

from credit_assets.commands.local import seed_lending
from credit_assets.jobs import REFRESH
from credit_assets.settings import SETTING, SettingsError, load_settings
from resources.services.database import DatabaseError
from resources.services.webserver import Webserver, WebserverError
from resources.store.object_store import SETTING as STORE
from resources.store.object_store import StoreError, open_store

REPORT = "model_metrics"


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 0 only if what was asked for is done."""
    parser = argparse.ArgumentParser(prog="python -m credit_assets.commands.cluster", description=__doc__)
    parser.add_argument("command", choices=["prepare", "check", "materialize"])
    parser.add_argument("--seed", action="store_true", help="prepare: make the table, and fill it if it is empty")
    parser.add_argument("--ui", default="http://localhost:3000", help="check, materialize: address of the webserver")
    parser.add_argument("--patience", type=int, default=600, help="check, materialize: seconds")
    given = parser.parse_args(arguments)
    try:
        if given.command == "prepare":
            prepare(given.seed)
        else:
            webserver = Webserver(given.ui)
            webserver.wait_for_location(given.patience)
            if given.command == "materialize":
                return materialize(webserver, given.patience)
    except (SettingsError, DatabaseError, StoreError, WebserverError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def prepare(seed: bool) -> None:
    """Makes the bucket, proves that it keeps the first of two writers, and fills the loans if they are ours.

    Raises:
        SettingsError, DatabaseError, StoreError: which of them is not there, or wrong.
    """
    settings = load_settings(os.environ.get(SETTING, ""))
    store = open_store(os.environ.get(STORE, ""))
    print(f"store {store.uri} is there and keeps the first of two writers")
    if seed:
        seed_lending(settings)


def materialize(webserver: Webserver, patience: int) -> int:
    """Materializes all assets in one run, waits for it, and prints the metrics."""
    began = time.monotonic()
    run = webserver.launch(REFRESH)
    print(f"run {run}: {webserver.url}/runs/{run}")
    status = webserver.wait_for_run(run, patience)
    print(f"{status} after {time.monotonic() - began:.1f} s")
    if status != "SUCCESS":
        for reason in webserver.failures(run):
            print(f"error: {reason}", file=sys.stderr)
        return 1
    for label, value in webserver.latest_metadata(REPORT).items():
        if isinstance(value, float):
            print(f"  {label:<12} {value:.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
