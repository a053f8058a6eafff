"""How a run gets its pod on Kubernetes, and how a dead one is told from a slow one.

Belongs here: the run launcher, the placement of attempts, and runs that do not start. Does not belong here: how a lease
works, and what happens to a run after it has failed.
"""
