"""Schedules: what runs at a time of day.

Belongs here: when, and why a tick is skipped. Does not belong here: what runs (`credit_assets.jobs`), and what waits
for something to happen (`sensors`).
"""
