"""A draft of the settings for a table that nobody has declared yet: what its columns look like, and what they may be.

Belongs here: proposals that a person looks at. Does not belong here: what holds for every run (`settings`, `checks`).
"""
