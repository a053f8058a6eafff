"""How long a wave takes, beside a plain script and stock Dagster.

Belongs here: the contenders of this comparison, and its table. Does not belong here: how processes are measured
(`bench.timing`).
"""
