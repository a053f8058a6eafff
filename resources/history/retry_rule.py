"""The retry rule: which failed run should have been retried, and was not.

Belongs here: the rule, as a pure function, and its limits. Does not belong here: how runs are read (`run_groups`), and
how a retry is started (the sensor `lost_retries`).
"""

from collections.abc import Sequence

from resources.history.attempt import Attempt

# Seconds that Dagster's daemon gets to retry a run. After this time of looking back, a run is left to people.
DAEMON_SECONDS, LOOK_BACK_SECONDS = 30, 24 * 3600
# After this time nothing retries a failed run any more: an hour more for the sensor that starts the retry.
MOST_RETRY_SECONDS = LOOK_BACK_SECONDS + 3600
# Attempts that never began, and cost nothing, before a missing image or an exceeded quota is left to people.
NEVER_BEGAN = 20


def find_missing_retry(group: Sequence[Attempt], max_retries: int, now: float) -> str | None:
    """The run of a group that should have been retried and was not; None: there is none.

    A group is left alone if one of its runs is under way, has succeeded, or was stopped by a person. A run is left
    alone if its own step failed, if another run retries it, or if its retries are used up. Dagster's daemon gets 30 s
    for its own retry, and no time if it has decided against one.

    Args:
        group: a root run and all its retries.
        max_retries: how many retries that began to work a group may have.
        now: Unix seconds.
    """
    if any(attempt.failed is None for attempt in group):
        return None
    retried = {attempt.parent for attempt in group}
    for attempt in group:
        if attempt.run in retried or attempt.own_step_failed or not attempt.relaunchable:
            continue
        patience = 0 if attempt.will_retry is False else DAEMON_SECONDS
        if has_retries_left(attempt, group, max_retries) and (attempt.failed or 0) < now - patience:
            return attempt.run
    return None


def has_retries_left(attempt: Attempt, group: Sequence[Attempt], max_retries: int) -> bool:
    """Whether this attempt may be retried once more.

    A limit of its own counts every attempt of the group. The instance's limit counts those that began to work.
    """
    if attempt.max_retries is not None:
        return len(group) <= attempt.max_retries
    began = sum(each.began for each in group)
    return began <= max_retries and len(group) <= max_retries + NEVER_BEGAN
