"""What Dagster's database does not need any more: how it is counted, and how it is deleted in small transactions.

Belongs here: rules about events, partitions and runs, as SQL on Dagster's tables. Does not belong here: which assets,
jobs and limits they are for (`credit_assets.retention`).
"""
