"""Measured interruptions of spot machines, replayed over simulated weeks with the platform's own code.

Belongs here: the market, simulated machines, and tables of what happened. Does not belong here: a rule of the platform,
which is imported from `resources` and `sensors`.
"""
