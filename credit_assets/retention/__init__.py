"""Retention: what is deleted when it is old, so that a release does not grow for ever.

Belongs here: which things go, which stay, and why. Does not belong here: how a store or an event log deletes
(`resources.store`, `resources.instance`).
"""
