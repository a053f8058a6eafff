"""Leases as a test reads and revokes them, in the real table. A lease that is not there fails the test."""

from datetime import datetime

from resources.supervision.lease_table import Leases


def find(leases: Leases, name: str) -> datetime:
    """The deadline of a lease that is there."""
    deadline = leases.find_deadline(name)
    assert deadline, f"there is no lease {name}"
    return deadline


def revoke(leases: Leases, name: str) -> bool:
    """Revokes a lease with the deadline that it has now; whether nobody holds it any more."""
    return leases.revoke(name, find(leases, name))
