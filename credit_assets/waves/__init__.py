"""A wave: every location scored once, by one model, a chunk of locations at a time.

Belongs here: what a wave scores, how a chunk is scored, what is recorded of it, and the wave's page. Does not belong
here: the tables (`credit_assets.applications`), and the assets that start a wave (`credit_assets.wave`).
"""
