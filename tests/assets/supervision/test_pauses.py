"""A loop without its pause floods PostgreSQL with queries from each pod and each daemon, and nothing fails."""

import subprocess
import sys
import textwrap

# A lease without a database, which counts what it is asked. It is taken at the tenth attempt.
COUNTED = """
import sys
from resources.supervision.lease import Lease

class Counted(Lease):
    taken = renewed = 0
    def take(self):
        self.taken += 1
        self.fence = int(self.taken >= 10)
        return self.fence > 0
    take_or_renew = take
    def renew(self):
        self.renewed += 1
        return True
    def release(self): pass
    def end(self): pass

lease = Counted("", "counted", "somebody", seconds=60)
"""


def count(program: str) -> dict[str, float]:
    """Runs a program that prints names and numbers."""
    code = COUNTED + textwrap.dedent(program)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: float(number) for name, number in pairs}


def test_a_leader_pauses_between_its_attempts_and_between_its_renewals() -> None:
    found = count("""
        import time
        from resources.supervision.leader import lead
        began = time.monotonic()
        def act():
            print("waited", time.monotonic() - began)
            time.sleep(1)
            print("renewed", lease.renewed)
        lead(lease, act, margin=1, pause=0.1)
        print("taken", lease.taken)
    """)
    assert found["taken"] == 10
    assert found["waited"] >= 0.9, "nine pauses"
    assert 1 <= found["renewed"] <= 10


def test_the_holder_of_a_runs_lease_pauses_between_its_attempts_and_between_its_renewals() -> None:
    """A worker whose own processes end one after another wakes its holder up each time."""
    found = count("""
        import ctypes, logging, time
        import psycopg2
        from resources.supervision import worker
        logging.disable()
        worker.raise_fence = lambda connection: None
        began = time.monotonic()
        class Started(Counted):
            def take_or_renew(self):
                if not self.take():
                    raise psycopg2.OperationalError("PostgreSQL is away")
                return True
            def renew(self):
                if not self.renewed:
                    print("waited", time.monotonic() - began)
                return super().renew()
        lease = Started("", "counted", "somebody", seconds=60)
        orphans = "import subprocess, time\\nfor _ in range(100): subprocess.run(['sh', '-c', 'true & true'])\\n"
        ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER: orphans become this process's, as in a pod
        command = [sys.executable, "-c", orphans + "time.sleep(1)"]
        code = worker.supervise(command, {"PATH": "/usr/bin:/bin"}, lease, pause=0.2)
        print("ran", time.monotonic() - began)
        print("code", code)
        print("taken", lease.taken)
        print("renewed", lease.renewed)
    """)
    assert found["code"] == 0
    assert found["taken"] == 10
    assert found["waited"] >= 9 * 0.2
    assert 1 <= found["renewed"] <= (found["ran"] - 1.8) / 0.2 + 1


def test_a_renewal_that_took_longer_than_the_pause_is_repeated_at_once() -> None:
    """A lease is silent for longer than its length if a pause follows a renewal that was not answered."""
    found = count("""
        import logging, sys, time
        import psycopg2
        from resources.supervision import worker
        logging.disable()
        worker.raise_fence = lambda connection: None
        ended = []
        class Slow(Counted):
            def take_or_renew(self):
                self.fence = 1
                return True
            def renew(self):
                self.renewed += 1
                if ended:
                    print(f"waited_{self.renewed}", time.monotonic() - ended.pop())
                if self.renewed == 2:
                    time.sleep(1.5)
                    ended.append(time.monotonic())
                    raise psycopg2.OperationalError("no answer")
                return True
        command = [sys.executable, "-c", "import time; time.sleep(4)"]
        code = worker.supervise(command, {"PATH": "/usr/bin:/bin"}, Slow("", "counted", "somebody", seconds=60))
    """)
    assert found["waited_3"] < 0.5


def test_a_leader_looks_at_others_only_while_another_leads_and_the_database_answers() -> None:
    """A question that hangs would delay the next try to lead."""
    found = count("""
        import logging
        import psycopg2
        from resources.supervision.leader import lead
        logging.disable()
        looks = []
        class Away(Counted):
            def take(self):
                if self.taken in (3, 4):
                    self.taken += 1
                    raise psycopg2.OperationalError("PostgreSQL is away")
                return super().take()
        lease = Away("", "counted", "somebody", seconds=60)
        lead(lease, lambda: print("looks", len(looks)), margin=1, pause=0.1, stand_by=lambda: looks.append(1))
        print("taken", lease.taken)
    """)
    assert found == {"looks": 7, "taken": 10}, "nine tries failed, and two of them without an answer"
