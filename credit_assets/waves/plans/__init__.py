"""What a wave scores: the choice of locations, and the plan that is written once.

Belongs here: everything that is settled before the first location is scored. Does not belong here: scoring.
"""
