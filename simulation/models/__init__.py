"""What the programs of the world talk to: PostgreSQL, the object store, the API server with its nodes.

Belongs here: how each answers, delays, stalls and loses a request. Does not belong here: who asks (`actors`).
"""
