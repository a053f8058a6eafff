"""Which model is in use: the set of artifacts, the rule, the pointer, and what each part was made from.

Belongs here: what decides, records or explains a promotion. Does not belong here: how the pointer's object is written.
"""
