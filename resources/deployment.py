"""The deployment: the one table of the platform's environment variables, as one frozen value.

Belongs here: which variables there are, what they mean, and their defaults. Does not belong here: how variables are
read (`resources.environment`) and what a value is used for. The first process of a pod and a daemon that stands by
import this module, so it imports neither Dagster nor pydantic.

Variables of libpq (`PGHOST`, …) and of AWS are read by their own libraries.
"""

import logging
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal, Self, get_args

from resources.environment import (
    PREFIX,
    DeploymentError,
    child_environment,
    one_of,
    port,
    read_variables,
    seconds,
    unknown_variables,
    variable,
    whole_number,
)

log = logging.getLogger(__name__)

UI_PORT = 3000
Executor = Literal["in_process", "k8s_job"]


def local_address(port: int = UI_PORT) -> str:
    """The address of a Dagster UI on this machine, for a browser on this machine."""
    return f"http://localhost:{port}"


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """Where this process runs and what it works with."""

    settings: str | None = variable(
        "PLATFORM_SETTINGS", "path of the settings file", old="CREDIT_SETTINGS", refuse_empty=True
    )
    store: str | None = variable(
        "PLATFORM_STORE",
        "artifact store, file:///absolute/folder or s3://bucket/prefix",
        old="CREDIT_STORE",
        refuse_empty=True,
    )
    executor: Executor = variable(
        "PLATFORM_EXECUTOR",
        "where steps run: in the run's own process, or each in a pod",
        old="CREDIT_EXECUTOR",
        default="in_process",
        parse=one_of(*get_args(Executor)),
    )
    database_url: str | None = variable(
        "PLATFORM_DATABASE_URL",
        "URL of the database that holds the loans",
        old="LOANS_DATABASE_URL",
        refuse_empty=True,
        secret=True,
    )
    scores_url: str | None = variable(
        "PLATFORM_SCORES_URL", "URL of the database that scores are written to", refuse_empty=True, secret=True
    )
    history_url: str | None = variable(
        "PLATFORM_HISTORY_URL",
        "URL of Dagster's own database, on one machine",
        old="DAGSTER_POSTGRES_URL",
        refuse_empty=True,
        secret=True,
    )
    webhook_url: str | None = variable(
        "PLATFORM_WEBHOOK_URL", "URL that every failed run is reported to", old="ALERT_WEBHOOK_URL", secret=True
    )
    ui_url: str = variable(
        "PLATFORM_UI_URL", "address of the UI for people, in reports", old="DAGSTER_UI_URL", default=local_address()
    )
    webserver_url: str = variable(
        "PLATFORM_WEBSERVER_URL",
        "address of the webserver for programs",
        old="DAGSTER_WEBSERVER_URL",
        default=local_address(),
    )
    image: str | None = variable("PLATFORM_IMAGE", "image of this pod")
    node: str | None = variable("PLATFORM_NODE", "node of this pod", old="NODE_NAME")
    capacity: str | None = variable(
        "PLATFORM_CAPACITY", "capacity that this pod is bound to: spot or any", old="NODE_CAPACITY"
    )
    attempt: int = variable(
        "PLATFORM_ATTEMPT",
        "number of this attempt, 0 for the first",
        old="DAGSTER_RETRY_NUMBER",
        default=0,
        parse=whole_number,
    )
    run_id: str | None = variable("PLATFORM_RUN_ID", "run that this pod works on", old="DAGSTER_RUN_ID")
    step: str | None = variable("PLATFORM_STEP", "step that this pod works on", old="DAGSTER_STEP_KEY")
    run_lease_seconds: float = variable(
        "PLATFORM_RUN_LEASE_SECONDS",
        "how long the lease of a run lasts",
        old="DAGSTER_RUN_LEASE_SECONDS",
        default=8.0,
        parse=seconds,
    )
    daemon_lease_seconds: float = variable(
        "PLATFORM_DAEMON_LEASE_SECONDS",
        "how long the lease of the leading daemon lasts",
        old="DAGSTER_DAEMON_LEASE_SECONDS",
        default=5.0,
        parse=seconds,
    )
    heartbeat_seconds: float = variable(
        "PLATFORM_HEARTBEAT_SECONDS",
        "silence after which a part of the daemon counts as hung",
        old="DAGSTER_DAEMON_HEARTBEAT_TOLERANCE",
        default=300.0,
        parse=seconds,
    )
    metrics_port: int | None = variable(
        "PLATFORM_METRICS_PORT",
        "port on which the daemon serves its metrics",
        old="DAGSTER_DAEMON_METRICS_PORT",
        parse=port,
    )
    backup: str | None = variable("PLATFORM_BACKUP", "time of the backup to fetch, the newest if empty", old="BACKUP")
    host: str = variable("HOSTNAME", "name of this pod or machine", default=socket.gethostname())
    dagster_home: str | None = variable("DAGSTER_HOME", "folder of Dagster's instance file")
    registry_url: str | None = variable("MLFLOW_TRACKING_URI", "address of the model registry")
    registry_token: str | None = variable("MLFLOW_TRACKING_TOKEN", "token for the model registry", secret=True)
    registry_user: str | None = variable("MLFLOW_TRACKING_USERNAME", "user of the model registry")
    registry_password: str | None = variable("MLFLOW_TRACKING_PASSWORD", "password for the model registry", secret=True)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Reads a deployment from environment variables.

        Args:
            environ: the variables; those of this process if None.

        Raises:
            DeploymentError: a variable with our prefix is unknown, a value is wrong, or the old and the new name of
                one variable have different values.
        """
        values = read_variables(fields(cls), environ)
        if unknown := ", ".join(unknown_variables(fields(cls), environ)):
            # During an upgrade the new daemon starts pods of the old image, with the variables of the new release.
            if "run_id" in values:
                log.warning("%s: not a variable of this release, and ignored in the pod of a run", unknown)
            else:
                ours = (name for each in fields(cls) if (name := each.metadata["name"]).startswith(PREFIX))
                raise DeploymentError(
                    f"{unknown}: not a variable of the platform. Choose from {', '.join(sorted(ours))}"
                )
        return cls(**values)

    def require(self, name: str) -> str:
        """The value of a field that may be absent.

        Raises:
            DeploymentError: it is absent; names its variable.
        """
        if value := getattr(self, name):
            return str(value)
        row = next(each.metadata for each in fields(self) if each.name == name)
        raise DeploymentError(f"{row['name']} is not set: expected {row['meaning']}")

    def child_environment(self) -> dict[str, str]:
        """This process's environment for a child process that reads this deployment from it."""
        names = [name for each in fields(self) for name in (each.metadata["name"], each.metadata["old"])]
        values = {each: getattr(self, each.name) for each in fields(self)}
        ours = {each.metadata["name"]: str(value) for each, value in values.items() if value != each.default}
        return child_environment(without=names, **ours)
