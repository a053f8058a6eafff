"""What Dagster itself stands on: its storage, its daemon, its metrics and its backups.

Belongs here: programs and classes that a Dagster instance or the chart names. Does not belong here: assets and sensors.
"""
