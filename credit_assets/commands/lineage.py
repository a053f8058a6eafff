"""`credit-platform lineage`: from a model to what made it, and from a dataset or code to all that was made with it.

Belongs here: which store and history are opened. Does not belong here: the lines (`credit_assets.promotion.lineage`).
"""

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import dagster as dg

from credit_assets.commands.one_machine.local import NoCheckout, local_history
from credit_assets.promotion.lineage import trace_back, trace_forward
from credit_assets.promotion.provenance import find_descendants, list_artifacts, match_code, match_dataset
from credit_assets.settings.file import load_settings
from resources.deployment import Deployment
from resources.errors import PlatformError
from resources.store.object_store import ObjectStore
from resources.store.opening import open_store_for_reading


class SearchIncomplete(PlatformError):
    """A manifest can't be read, so nobody knows whether it belongs to the answer."""


@contextmanager
def open_records(deployment: Deployment, settings: Path) -> Iterator[tuple[ObjectStore, dg.DagsterInstance | None]]:
    """The store, to be read only, and the history: those of the deployment, or else those of `make run`.

    Args:
        deployment: its store is opened if it names one, and with it the instance whose folder it names.
        settings: whose store and history are opened otherwise.

    Yields:
        The store, and the instance. Outside a checkout a store that is named has none.

    Raises:
        PlatformError: the store or the history can't be opened.
    """
    with ExitStack() as opened:
        if not (deployment.store and deployment.dagster_home):
            try:
                deployment = opened.enter_context(local_history(settings, deployment)).deployment
            except NoCheckout:
                if not deployment.store:
                    raise
        store = open_store_for_reading(deployment.require("store"))
        yield store, opened.enter_context(dg.DagsterInstance.get()) if deployment.dagster_home else None


def print_lineage(
    deployment: Deployment, settings: Path, what: str, dataset: str | None = None, code: str | None = None
) -> None:
    """Prints what made a thing, or what was made from a dataset or with a version of the code.

    Args:
        deployment: where store and history are.
        settings: whose table is meant; also whose store and history to open, if the deployment names no store.
        what: `latest`, the number of a promotion, the id of a run, or the sha256 of an artifact.
        dataset: sha256 of a dataset's file or content, in the place of `what`.
        code: a version of the code, likewise.

    Raises:
        PlatformError: nothing of that name was found, or something can't be read. An answer that may lack something
            is printed first.
    """
    unreadable = list[str]()

    def report(damage: str) -> None:
        unreadable.append(damage)
        print(f"warning: {damage}", file=sys.stderr)

    with open_records(deployment, settings) as (store, instance):
        declared = load_settings(settings)
        if dataset or code:
            matches = match_dataset(dataset) if dataset else match_code(str(code))
            lines = trace_forward(store, declared.table.name, find_descendants(list_artifacts(store, report), matches))
        else:
            lines = trace_back(store, declared, instance, what, report)
        print("\n".join([f"settings {settings}", *lines]))
    if unreadable:
        raise SearchIncomplete(f"the answer may lack something, because manifests can't be read: {len(unreadable)}")
