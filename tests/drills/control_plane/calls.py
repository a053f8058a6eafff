"""Calls an address at an even pace from inside the cluster, each time on a new connection, and prints the failures.

kubectl exec -i POD -- python - host:3030 60 100 < tests/drills/control_plane/calls.py           100 gRPC calls in 60 s
kubectl exec -i POD -- python - http://host/server_info 60 100 2 < …               HTTP, at most 2 tries for each
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def call_grpc(target: str) -> None:
    """Requests the health of a code server, on a new channel for each call, like Dagster."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest as Request
    from grpc_health.v1.health_pb2 import HealthCheckResponse as Answer

    with grpc.insecure_channel(target) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", Request.SerializeToString, Answer.FromString)
        check(Request(service="DagsterApi"), timeout=10)


def call_http(url: str) -> None:
    """Sends a request to a webserver: it has one second to connect and five to answer."""
    import requests

    requests.get(url, timeout=(1, 5)).raise_for_status()


def measure_call(target: str, tries: int) -> tuple[str, float]:
    """Makes one call, and returns its outcome ("ok" or the name of the error) and its seconds."""
    began, error_name = time.monotonic(), ""
    for _ in range(tries):
        try:
            (call_http if target.startswith("http") else call_grpc)(target)
        except Exception as error:  # noqa: BLE001 every error is counted by its name
            code = getattr(error, "code", None)
            error_name = str(code()) if code else type(error).__name__
        else:
            return "ok", time.monotonic() - began
    return error_name, time.monotonic() - began


def main(target: str, seconds: float, calls: int, tries: int = 1) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(calls) as pool:
        futures = []
        for number in range(calls):
            time.sleep(max(0.0, began + number * seconds / calls - time.monotonic()))
            futures.append(pool.submit(measure_call, target, tries))
        outcomes = [each.result() for each in futures]
    seconds_taken = sorted(round(each, 2) for _, each in outcomes)
    failed = [outcome for outcome, _ in outcomes if outcome != "ok"]
    answer = {"calls": calls, "failed": len(failed), "errors": sorted(set(failed))}
    print(json.dumps({"target": target} | answer | {"median": seconds_taken[calls // 2], "slowest": seconds_taken[-1]}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *map(int, sys.argv[3:]))
