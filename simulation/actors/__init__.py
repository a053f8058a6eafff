"""The programs of the world: the holder and the worker of a run, and the daemons.

Belongs here: thin loops around the decision code of the platform. Does not belong here: a decision of their own, other
than Dagster's, which the platform does not make either.
"""
