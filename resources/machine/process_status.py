"""What Linux says of a process. It imports nothing of Dagster, as the first process of a run's pod asks it too."""

from pathlib import Path

PROCESSES = Path("/proc")


def stat(process: int) -> list[str]:
    """What is known of a process from its state on: /proc/PID/stat from the third field (proc(5)).

    Raises:
        OSError: there is no such process, or no /proc.
    """
    # The name of the program comes in brackets before these, and may hold brackets and spaces itself.
    return (PROCESSES / str(process) / "stat").read_text().rpartition(")")[2].split()
