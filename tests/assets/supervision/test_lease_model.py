"""The simulation's table of leases is a model of what PostgreSQL does with the same statements."""

import random
import time
from datetime import timedelta

from resources.supervision.lease import Lease
from resources.supervision.lease_table import HOLDER_TIME_LIMIT, LeaseConnection, Leases
from simulation.models.lease_statements import LeaseTable, ModelConnection

NAMES, HOLDERS = ("run/1", "run/1/step", "run/2"), ("one", "two")
# Long enough that none ends in between, over at once, or over for so long that no watcher sees it.
LENGTHS = (-1.0, 1000.0, -61.0)


class Side:
    """PostgreSQL, or the model: three leases for each of two holders, and a watcher."""

    def __init__(self, connection) -> None:
        self.leases = {}
        for name in NAMES:
            for holder in HOLDERS:
                lease = Lease("", name, holder)
                lease.connection = connection
                self.leases[name, holder] = lease
        self.watcher = Leases("")
        self.watcher._connection = connection

    def act(self, action: str, name: str, holder: str, seconds: float):
        lease = self.leases[name, holder]
        lease.seconds = seconds
        if action == "revoke":
            deadline = self.watcher.find_deadline(name)
            late = timedelta(seconds=1) if seconds < 0 else timedelta()
            return deadline and self.watcher.revoke(name, deadline - late)
        if action == "list":
            return sorted(self.watcher.list_deadlines())
        if action == "refuse":
            return self.watcher.refuse(name), self.watcher.find_deadline(name) is None
        answer = getattr(lease, action)()
        return answer, lease.fence, self.watcher.find_deadline(name) is None


def test_the_model_answers_as_postgresql_does(database_url: str) -> None:
    chance, actions = (
        random.Random(1),
        ("take", "take_or_renew", "renew", "is_held", "release", "end", "revoke", "refuse", "list"),
    )
    table = LeaseTable(time.time)
    real, model = (
        Side(LeaseConnection(database_url, "model")),
        Side(ModelConnection(lambda act, lost_after: act(), table, HOLDER_TIME_LIMIT)),
    )
    seen = set()
    for _ in range(1500):
        step = (chance.choice(actions), chance.choice(NAMES), chance.choice(HOLDERS), chance.choice(LENGTHS))
        expected = real.act(*step)
        assert model.act(*step) == expected, step
        seen.add((step[0], str(expected)[:5]))
    assert len(seen) > len(actions), "each action was answered in one way only"
