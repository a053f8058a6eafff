"""Growth: how large Dagster's event log is, and which of its rows nobody needs any more.

Belongs here: SQL that counts and deletes rows of Dagster's tables. Does not belong here: how long rows are kept
(`credit_assets.retention`), and how they are written (`resources.instance.event_log_storage`).
"""
