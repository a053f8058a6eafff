"""The loans: their table, the statement that reads it, and the rows of an empty local database.

Belongs here: SQL on the loans, and their types. Does not belong here: what a model does with them.
"""
