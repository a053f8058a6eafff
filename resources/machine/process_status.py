"""The state of a process, as Linux reports it.

Does not belong here: any import of Dagster, because the first process of a run's pod uses this module too.
"""

from pathlib import Path

PROCESSES = Path("/proc")


def read_status(process: int) -> list[str]:
    """The fields of /proc/PID/stat from the third one on, which is the state of the process (proc(5)).

    Raises:
        OSError: there is no such process, or no /proc.
    """
    # The name of the program stands in brackets before these fields, and may itself contain brackets and spaces.
    return (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()
