"""What Dagster's event log says of runs: attempts, interruptions, causes of failures, and the tags of runs.

Belongs here: typed facts that steps write as events, facts read from runs and events, and pure rules on them. Does not
belong here: code that launches, retries or stops a run.
"""
