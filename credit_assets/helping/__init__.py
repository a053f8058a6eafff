"""Helping: other runs that grow trees of a training, so that it ends sooner.

Belongs here: what a training leaves for its helpers, and what a helper does. Does not belong here: blocks
(`resources.store.blocks`), and how a tree is grown (`credit_assets.model`).
"""
