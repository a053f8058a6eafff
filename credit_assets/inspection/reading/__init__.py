"""What is known of a table before anybody has declared it: its columns in the catalogue, and a sample of its rows.

Belongs here: statements, and counts of what they return. Does not belong here: what a column is taken for.
"""
