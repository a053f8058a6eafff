"""Where bytes live: the object store, what is committed to it, and Dagster's IO manager on top.

Belongs here: objects, artifacts, blocks, checkpoints, pointers and file formats. Does not belong here: what a table, a
model or a metric means, and who supervises the worker that writes.
"""
