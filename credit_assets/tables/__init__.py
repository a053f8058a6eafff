"""Tables of somebody else: whether their columns are as declared, how rows are read, and which values break a rule.

Belongs here: what holds for the loans and for the applications alike. Does not belong here: which columns a table has,
and which of its rows are read.
"""
