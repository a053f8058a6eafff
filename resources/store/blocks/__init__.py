"""Blocks: a long step that commits its items a few at a time, so that the next attempt continues after the last block.

Belongs here: when a block is due, its bytes, its commit, items that are made side by side, and notices. Does not belong
here: what an item is, and where the step's place is (`resources.store.checkpoints`).
"""
