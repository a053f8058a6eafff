"""The benchmark: a logistic regression of the loans that a run's model learned from, as a second opinion on that model.

Belongs here: the asset, and what is pure about it. Does not belong here: its check (`credit_assets.checks`), and how a
regression is fitted (`credit_assets.model`).
"""
