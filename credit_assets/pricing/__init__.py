"""Pricing: a rate for every segment, which follows from the newest scores of its locations.

Belongs here: the formula, which segments get a new rate and why others don't, the table of prices, and the asset
`segment_prices`. Does not belong here: scores and where they come from (`credit_assets.applications`,
`credit_assets.waves`), and the bounds themselves (`credit_assets.settings.pricing`).
"""
