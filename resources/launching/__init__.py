"""How a run gets its pod on Kubernetes, and how a dead worker is told from a slow one.

Belongs here: the run launcher, the verdict on a worker, the adapter to the API server, the placement of attempts, runs
that do not start, and where the steps of a run are computed. Does not belong here: how a lease works, and what happens
to a run after it has failed.
"""
