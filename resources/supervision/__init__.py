"""Who may act: leases in PostgreSQL, the leader among daemons, the fence, and the process that holds a run's lease.

Belongs here: code that takes, renews, revokes or enforces a lease. Does not belong here: Kubernetes, and rules about
retries.
"""
