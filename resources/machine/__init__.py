"""One machine: its processes, and the PostgreSQL server that `make run` starts.

Belongs here: code about local processes and programs. Does not belong here: anything about a cluster.
"""
