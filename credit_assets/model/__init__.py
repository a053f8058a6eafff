"""The model: features, split, pipeline, and how each kind of model is fitted, as pure functions.

Belongs here: what is fitted, and how. Does not belong here: how good it is, and Dagster.
"""
