"""Calls an address at an even pace from inside the cluster, each time on a new connection, and prints what failed.

kubectl exec -i POD -- python - host:3030 60 100 < tests/drills/support/calls.py           100 gRPC calls in 60 s
kubectl exec -i POD -- python - http://host/server_info 60 100 2 < …               HTTP, at most 2 tries for each
"""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor


def grpc_call(target: str) -> None:
    """Asks a code server for its health, as Dagster calls it: a channel for each call."""
    import grpc
    from grpc_health.v1.health_pb2 import HealthCheckRequest as Asked
    from grpc_health.v1.health_pb2 import HealthCheckResponse as Answer

    with grpc.insecure_channel(target) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check", Asked.SerializeToString, Answer.FromString)
        check(Asked(service="DagsterApi"), timeout=10)


def http_call(url: str) -> None:
    """Asks a webserver, by way of whatever stands before it: a second to connect, five to answer."""
    import requests

    requests.get(url, timeout=(1, 5)).raise_for_status()


def outcome(target: str, tries: int) -> tuple[str, float]:
    """What became of one call ("ok" or the error), and after how many seconds."""
    began, last = time.monotonic(), ""
    for _ in range(tries):
        try:
            (http_call if target.startswith("http") else grpc_call)(target)
        except Exception as error:  # noqa: BLE001 whatever it is, it is counted by its name
            code = getattr(error, "code", None)
            last = str(code()) if code else type(error).__name__
        else:
            return "ok", time.monotonic() - began
    return last, time.monotonic() - began


def main(target: str, seconds: float, calls: int, tries: int = 1) -> None:
    began = time.monotonic()
    with ThreadPoolExecutor(calls) as pool:
        ran = []
        for number in range(calls):
            time.sleep(max(0.0, began + number * seconds / calls - time.monotonic()))
            ran.append(pool.submit(outcome, target, tries))
        found = [each.result() for each in ran]
    took = sorted(round(each, 2) for _, each in found)
    failed = [said for said, _ in found if said != "ok"]
    answer = {"calls": calls, "failed": len(failed), "errors": sorted(set(failed))}
    print(json.dumps({"target": target} | answer | {"median": took[calls // 2], "slowest": took[-1]}))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), *map(int, sys.argv[3:]))
