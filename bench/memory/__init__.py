"""Benchmarks of memory: what the peak of a process depends on.

Belongs here: peaks that are compared with each other. Does not belong here: time.
"""
