"""News of runs: PostgreSQL tells the daemon at once that a run waits in the queue, or that one has failed.

Belongs here: what PostgreSQL tells, and the parts of Dagster's daemon that listen. Does not belong here: what these
parts do about it, which is Dagster's, and how the daemon starts (resources/instance/daemon.py).
"""
