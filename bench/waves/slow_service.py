"""What many slow answers of an outside service cost the process that awaits them: processor time, memory and threads.

`python -m bench.waves.slow_service call 500 5` makes the calls as a wave does, and prints one line of JSON. The service
is a process of its own, so that its costs don't count. One call is made before, so that the libraries are loaded.
"""

import asyncio
import json
import math
import resource
import subprocess
import sys
import threading
import time
from pathlib import Path

from bench.timing.children import BenchError, format_command, make_module_command, run
from bench.timing.table import Goal, Row, Table
from resources.services.calls.background import Request, ask_in_background
from resources.services.calls.service import Service

NAME = "bench.waves.slow_service"
# Shares of a core and MiB for each call that are allowed.
MOST_PROCESSOR, MOST_MEMORY = 0.02, 1.0
AT_ONCE = "/now"
ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{"index":1}'


def measure_slow_service(calls: int, seconds: float) -> list[Table]:
    """Makes so many calls at once to a service that answers each of them after so many seconds.

    Raises:
        BenchError: a call was not answered.
    """
    command = make_module_command(NAME, "call", str(calls), str(seconds))
    figures = {name: float(value) for name, value in run(command).output.items()}
    if figures["answered"] != calls:
        raise BenchError(f"{figures['answered']:.0f} of {calls} calls were answered")
    return [
        Table(
            f"{calls:,} calls at once to a service that answers in {seconds:g} s",
            ["seconds", "processor s", "% of a core", "% while it waits", "KiB a call", "threads"],
            [
                Row(
                    "the process that calls",
                    [
                        figures["seconds"],
                        figures["processor_seconds"],
                        100 * figures["processor_share"],
                        100 * figures["waiting_share"],
                        1024 * figures["mebibytes"] / calls,
                        int(figures["threads"]),
                    ],
                    format_command(command),
                )
            ],
            goals=[
                Goal("of a core", figures["processor_share"], MOST_PROCESSOR, at_least=False),
                Goal("MiB for each call", figures["mebibytes"] / calls, MOST_MEMORY, at_least=False),
            ],
            notes=["While it waits: in the middle half of the time between the calls and their answers."],
        )
    ]


def call(calls: int, seconds: float) -> dict[str, float]:
    """Makes the calls, and measures this process."""
    server = subprocess.Popen(
        make_module_command(NAME, "serve", str(seconds)), stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL
    )
    try:
        assert server.stdout
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        service = Service("slow", timeout_seconds=seconds * 4 + 30, tries=1, at_once=calls)
        ask(Request(service, {"first": url + AT_ONCE}, json.loads))
        addresses = {str(number): f"{url}/{number}" for number in range(calls)}
        memory, computed, started = read_memory(), time.process_time(), time.monotonic()
        answered, threads, most, ticks = ask(Request(service, addresses, json.loads))
        took, computing = time.monotonic() - started, time.process_time() - computed
    finally:
        server.kill()
        server.wait()
    return {
        "seconds": took,
        "processor_seconds": computing,
        "processor_share": computing / took,
        "waiting_share": measure_waiting([(at - started, used) for at, used in ticks], seconds),
        "mebibytes": max(most - memory, 0.0),
        "threads": threads,
        "answered": answered,
    }


def ask(request: Request) -> tuple[int, int, float, list[tuple[float, float]]]:
    """How many calls were answered, the most threads and MiB meanwhile, and the processor's time at many moments."""
    answered, threads, memory, ticks = 0, 0, 0.0, list[tuple[float, float]]()
    with ask_in_background([request]) as replies:
        while not replies.is_done:
            answered += sum(reply.value is not None for reply in replies.collect(0.2))
            threads, memory = max(threads, threading.active_count()), max(memory, read_memory())
            ticks.append((time.monotonic(), time.process_time()))
    return answered, threads, memory, ticks


def measure_waiting(ticks: list[tuple[float, float]], seconds: float) -> float:
    """The share of a core in the middle half of the time until the answers; NaN if there are too few moments.

    Args:
        ticks: seconds since the first call, and the processor's time then.
        seconds: until a call is answered.
    """
    middle = [tick for tick in ticks if seconds / 4 <= tick[0] <= seconds * 3 / 4]
    if len(middle) < 2:
        return math.nan
    (began, before), (ended, after) = middle[0], middle[-1]
    return (after - before) / (ended - began)


def read_memory() -> float:
    """Resident memory of this process in MiB; on a system without /proc, the greatest that it ever had."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return pages * resource.getpagesize() / 2**20


async def serve(seconds: float) -> None:
    """Answers every request after so many seconds, and prints its port first."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if AT_ONCE.encode() not in request:
            await asyncio.sleep(seconds)
        writer.write(ANSWER)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=4_096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        asyncio.run(serve(float(sys.argv[2])))
    else:
        print(json.dumps(call(int(sys.argv[2]), float(sys.argv[3]))))
