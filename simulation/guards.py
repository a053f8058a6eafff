"""The guards of recovery. A world may lack one, and then the simulation has to find what goes wrong."""

from enum import StrEnum


class Guard(StrEnum):
    """What keeps recovery safe; the value says it in words."""

    FENCE = "the fence in PostgreSQL"
    ONE_RETRY = "the unique index on retries"
    REVOCATION_FIRST = "the revocation before the failure"
    WRITE_ONCE = "the write-once pointer"
    ALARM = "the leader's alarm"
    STATUS_FIRST = "the status before the event"
    PORT = "the call to a silent holder"
    WITNESS = "the witness of an unreachable holder"
    FORGETTING = "the standby that forgets when PostgreSQL does not answer"
    REFUSAL = "the refusal of a lease that nobody took"

    @property
    def option(self) -> str:
        """What a person types."""
        return self.name.lower().replace("_", "-")
