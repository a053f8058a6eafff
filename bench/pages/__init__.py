"""How long the pages of Dagster's UI take in a real browser, after a month of waves.

Belongs here: the history that the pages show, the browser, and the table of their times. Does not belong here: how a
wave itself is timed (`bench.waves`).
"""
