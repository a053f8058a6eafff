"""Calculations about the platform that are not benchmarks: what it costs, and what spot markets do to it.

Belongs here: models fed with prices or recorded interruptions. Does not belong here: anything that times this code.
"""
