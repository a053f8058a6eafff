"""Applications and their locations: what is expected of their tables, how rows are read, and where scores are written.

Belongs here: SQL on these three tables, and the rows of an empty local database. Does not belong here: how a wave is
planned, scored and recorded.
"""
