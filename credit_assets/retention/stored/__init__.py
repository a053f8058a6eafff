"""What retention deletes from the object store.

Belongs here: what the keys of the store mean, which objects are old, and their deletion. Does not belong here: events
(`credit_assets.retention.events`).
"""
