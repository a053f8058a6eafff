"""Pointers: which of many committed things is the one that readers take.

Belongs here: numbered positions, and the pointer that moves from one to the next. Does not belong here: what a position
names, and who may move it.
"""
