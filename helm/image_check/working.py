"""A use of each library that steps, the daemon and launched runs use."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

ROWS = 600
KINDS = ("random_forest", "hist_gradient_boosting", "logistic_regression")


def train_models() -> None:
    """Each kind of model is fitted on numbers and categories, is written and read, and scores the rows."""
    import numpy as np
    import pyarrow as pa

    from credit_assets.model.growth import AtOnce
    from credit_assets.model.pipeline import TrainingConfig, fit_pipeline, score_loans
    from credit_assets.settings.file import Settings
    from resources.store.formats import Joblib

    rng = np.random.default_rng(1)
    income, purpose = rng.normal(40_000, 9_000, ROWS), rng.choice(["car", "house", "boat"], ROWS)
    missing = pa.array(income, mask=rng.random(ROWS) < 0.1)
    loans = pa.table({"income": missing, "purpose": purpose, "bad": (income < 35_000).astype("int64")})
    features = {"income": {"type": "number", "missing": "allowed"}, "purpose": {"type": "category"}}
    for kind in KINDS:
        declared = {"table": {"name": "loans"}, "target": {"column": "bad"}, "features": features}
        settings = Settings.model_validate(declared | {"model": {"kind": kind}})
        model = fit_pipeline(loans, settings, TrainingConfig(n_estimators=3, max_depth=3), AtOnce())
        again = Joblib().decode(Joblib().encode(model, kind))
        assert len(score_loans(again, loans, settings)) == ROWS


def draw_pictures() -> None:
    """A picture of a report becomes a PNG."""
    from credit_assets.measurement.pictures import draw_importance, draw_roc, render_png

    curve = {"false_positive_rate": [0.0, 0.2, 1.0], "true_positive_rate": [0.0, 0.8, 1.0]}
    for figure in (draw_roc(curve, 0.8), draw_importance(["income", "purpose"], [0.7, 0.3])):
        assert render_png(figure).startswith(b"\x89PNG")


def keep_in_store() -> None:
    """A store is opened, which proves that the first of two writers wins, and a table comes back out of Parquet."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from resources.store.opening import open_store

    with TemporaryDirectory() as folder:
        open_store(Path(folder, "store").as_uri(), patience=timedelta())
        file = Path(folder, "table.parquet")
        table = pa.table({"income": [1.5, None], "purpose": ["car", "boat"]})
        pq.write_table(table, file, compression="zstd")
        assert pq.read_table(file).equals(table)
        assert len(pd.read_parquet(file)) == table.num_rows


def reach_s3() -> None:
    """The clients of S3, and of the services that give a pod its rights, have their descriptions."""
    import boto3
    from obstore.auth.boto3 import Boto3CredentialProvider
    from obstore.store import S3Store

    session = boto3.Session("key", "secret", region_name="eu-central-1")
    for service in ("s3", "sso", "sso-oidc", "sts"):
        session.client(service)
    session.client("s3").generate_presigned_url("get_object", {"Bucket": "any", "Key": "any"})
    S3Store("any", credential_provider=Boto3CredentialProvider(session))


class _NoJobs(BaseHTTPRequestHandler):
    """An API server that has nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b'{"items": []}')

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def ask_kubernetes() -> None:
    """A Job is written as JSON, and an API server answers with Jobs."""
    from dagster_k8s.client import DagsterKubernetesClient
    from kubernetes import client, config

    from resources.launching.kubernetes_jobs import KubernetesJobs

    assert config.load_incluster_config
    template = client.V1PodTemplateSpec(spec=client.V1PodSpec(containers=[client.V1Container(name="run")]))
    job = client.V1Job(metadata=client.V1ObjectMeta(name="run"), spec=client.V1JobSpec(template=template))
    assert client.ApiClient().sanitize_for_serialization(job)["metadata"] == {"name": "run"}
    with HTTPServer(("127.0.0.1", 0), _NoJobs) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = client.Configuration(host=f"http://127.0.0.1:{server.server_port}")
        client.Configuration.set_default(address)
        assert KubernetesJobs(DagsterKubernetesClient.production_client()).list_active_runs("any") == []
        server.shutdown()


def materialize() -> None:
    """A run with one asset succeeds."""
    import dagster as dg

    @dg.asset
    def nothing() -> None:
        """It is there to be made."""

    quiet = {"loggers": {"console": {"config": {"log_level": "ERROR"}}}}
    assert dg.materialize([nothing], run_config=quiet).success
