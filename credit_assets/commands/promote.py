"""`credit-platform promote`: a person promotes a set that the rule refused, or an earlier one, past the rule."""

import sys
from typing import Any

import dagster as dg

from credit_assets.commands.cluster import wait_for_run
from credit_assets.commands.one_machine.local import LocalPlatform
from credit_assets.commands.one_machine.outcome import print_failures
from credit_assets.commands.one_machine.run import execute, interruptible
from resources.services.webserver import Webserver

JOB, OP = "promote_by_hand", "promotion_by_hand"


def config_of(chosen: str, who: str, why: str, *, accept_other_columns: bool = False) -> dict[str, Any]:
    """The config of the job's op: which set, who decides, why, and whether the set may have other columns."""
    accepted = {"accept_other_columns": True} if accept_other_columns else {}  # a release before 0.2 has no such field
    return {OP: {"config": {"chosen": chosen, "who": who, "why": why, **accepted}}}


def promote_here(local: LocalPlatform, ops: dict[str, Any]) -> int:
    """Promotes in this process, on this machine's store and history; returns the exit code.

    Raises:
        HistoryError: Dagster's database went away.
        KeyboardInterrupt: somebody stopped the run.
    """
    with interruptible(), dg.DagsterInstance.get() as instance:
        try:
            result = execute(local.deployment, JOB, instance, ops)
        except dg.DagsterInvalidConfigError as error:
            for each in error.errors:
                print(f"error: {each.message}", file=sys.stderr)
            return 1
        if not result.success:
            print_failures(result)
            return 1
    return 0


def promote_there(webserver: Webserver, ops: dict[str, Any], patience_seconds: float) -> int:
    """Promotes by a run of a release on a cluster, and waits for it; returns the exit code.

    Raises:
        WebserverError: the webserver does not answer, refuses the config, or the run has not ended in time.
    """
    run = webserver.launch(JOB, run_config={"ops": ops}, patience=patience_seconds)
    return wait_for_run(webserver, run, patience_seconds)
