"""What goes wrong with thousands of partitions in stock Dagster, measured there and here.

Belongs here: one function for each trap, which measures it in one way, and their table. Does not belong here: how long
a whole wave takes (`bench.waves`).
"""
