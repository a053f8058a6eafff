"""How a benchmark is timed: processes, stopwatches and the table of results.

Belongs here: code that every benchmark shares. Does not belong here: what is measured.
"""
