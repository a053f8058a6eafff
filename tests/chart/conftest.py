"""The chart as Helm renders it, as the Kubernetes API's own types, and as Dagster reads it. Needs the `helm` binary."""

import json
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import dagster as dg
import kubernetes
import pytest
import yaml

from resources.machine.embedded_postgres import use_postgres

CHART = Path(__file__).parents[2] / "helm" / "credit-platform"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "none",
    "contexts": [{"name": "none", "context": {"cluster": "none", "user": "none"}}],
    "clusters": [{"name": "none", "cluster": {"server": "https://localhost:1"}}],
    "users": [{"name": "none", "user": {}}],
}


class Refused(Exception):
    """Helm refused the values: its message."""


@dataclass(frozen=True)
class Rendered:
    """What `helm template` prints."""

    objects: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [each for each in self.objects if each["kind"] == kind]

    def one(self, kind: str, name: str) -> dict[str, Any]:
        (found,) = [each for each in self.of(kind) if each["metadata"]["name"] == name]
        return found

    def pods(self) -> dict[str, dict[str, Any]]:
        """Pod templates (spec and metadata) by kind and name."""
        templates = {}
        for each in self.objects:
            spec = each.get("spec", {})
            template = each if each["kind"] == "Pod" else spec.get("jobTemplate", {}).get("spec", spec).get("template")
            if template:
                templates[f"{each['kind']}/{each['metadata']['name']}"] = template
        return templates

    @property
    def instance(self) -> dict[str, Any]:
        return yaml.safe_load(self.one("ConfigMap", "rel-instance")["data"]["dagster.yaml"])


def helm_template(values: dict[str, Any], release: str = "rel") -> Rendered:
    command = [
        "helm",
        "template",
        release,
        str(CHART),
        "--namespace",
        "ns",
        "--kube-version",
        "1.34.0",
        "--values",
        "-",
    ]
    done = subprocess.run(command, input=json.dumps(values), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr)
    return Rendered([each for each in yaml.safe_load_all(done.stdout) if each])


@pytest.fixture(scope="session")
def refused() -> type[Exception]:
    return Refused


@pytest.fixture(scope="session")
def render() -> Callable[..., Rendered]:
    """Renders with the given top-level values over the chart's own. Raises Refused if Helm does."""
    return lambda **values: helm_template(values)


@pytest.fixture(scope="session")
def render_release() -> Callable[[str, dict[str, Any]], Rendered]:
    """Renders a release of this name with the given values. Raises Refused if Helm does."""
    return lambda release, values: helm_template(values, release)


@pytest.fixture(scope="session")
def chart() -> Rendered:
    """The chart as it comes."""
    return helm_template({})


@pytest.fixture(scope="session")
def round_trip() -> Callable[[dict[str, Any]], Any]:
    """What is left of an object after the Kubernetes client has read it as its type and written it again."""
    client = kubernetes.client.ApiClient()

    def there_and_back(thing: dict[str, Any]) -> Any:
        read = client.deserialize(SimpleNamespace(data=json.dumps(thing)), f"V1{thing['kind']}")
        return client.sanitize_for_serialization(read)

    return there_and_back


@pytest.fixture(scope="session")
def read_by_dagster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Rendered], dg.DagsterInstance]]:
    """Opens the rendered dagster.yaml as an instance, on a PostgreSQL of the tests' own and with no cluster at hand."""
    kubeconfig = tmp_path_factory.mktemp("kubernetes") / "config"
    kubeconfig.write_text(yaml.safe_dump(KUBECONFIG))
    with (
        tempfile.TemporaryDirectory() as folder,  # not pytest's: they are closed to `nobody`
        use_postgres(Path(folder) / "postgres") as server,
        pytest.MonkeyPatch.context() as environment,
    ):
        environment.setenv("DAGSTER_PG_PASSWORD", "secret")
        environment.setenv("AWS_DEFAULT_REGION", "us-east-1")
        server.create_database("dagster")

        def read(chart: Rendered) -> dg.DagsterInstance:
            config = chart.instance
            database = config["storage"]["custom"]["config"]["postgres_db"]
            database |= {"username": "postgres", "hostname": "localhost"}
            database["params"]["host"] = str(server.sockets)
            config["run_launcher"]["config"] |= {"load_incluster_config": False, "kubeconfig_file": str(kubeconfig)}
            home = tmp_path_factory.mktemp("home")
            (home / "dagster.yaml").write_text(yaml.safe_dump(config))
            return dg.DagsterInstance.from_config(str(home))

        yield read
