"""The settings file: which table the model learns from, what its columns mean, and where the limits lie.

Belongs here: what may stand in the file, and how it is read. Does not belong here: what an asset or a sensor does
with a setting.
"""
