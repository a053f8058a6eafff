"""How good a model is: scores, curves, fairness and pictures, as pure functions.

Belongs here: figures about predictions, and how people see them. Does not belong here: limits, which are checks.
"""
