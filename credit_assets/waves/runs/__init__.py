"""The runs of a wave: retries, shards that share it, and other waves at the same time.

Belongs here: which runs belong together, and what they tell each other. Does not belong here: what one run does.
"""
