"""What a column may be although nobody says so: something personal, a key, or knowledge of the outcome.

Belongs here: one reason for a suspicion in a function. Does not belong here: what follows from it for the draft.
"""
