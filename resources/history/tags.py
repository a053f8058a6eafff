"""Tags of runs that are read and written here. One home, as a tag whose name differs in two places is never found."""

# Dagster's own. Its daemon and the sensor for lost retries both number theirs, so that neither makes a second one.
ROOT, PARENT, NUMBER = "dagster/root_run_id", "dagster/parent_run_id", "dagster/retry_number"
MOST, REASON = "dagster/max_retries", "dagster/failure_reason"
# "false" once the daemon has decided not to retry a run, or could not.
WILL_RETRY = "dagster/will_retry"
# The node that an attempt ran on, and the capacity that it was bound to. A retry inherits both until it has its own.
NODE, CAPACITY = "platform/node", "platform/capacity"
# By which the launcher says what became of a worker. A retry inherits both. Of one that ended by itself it is the id of
# the run that it counts for; of one that was given up when it was last heard of, in Unix seconds of PostgreSQL.
CRASHED, LOST_AT = "platform/crashed", "platform/lost_at"
# The process that works on a run without a launcher. A run that was launched inherits it from one that it retries.
PROCESS = "platform/process"
# The id of a run that announces each manifest in the event log before it creates it. A retry inherits the tag of the
# run before it, so it counts only if it is the run's own id.
ANNOUNCES = "platform/announces"
# The launcher stops the retries of a run with `dagster/max_retries: 0`, and writes the run's id into this tag. A
# person's re-execution inherits both tags. By the id of another run the launcher knows that it may be retried again.
RETRIES_STOPPED = "platform/retries_stopped"
