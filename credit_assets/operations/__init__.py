"""What the losses of workers cost, and whether every promoted set is whole.

Belongs here: pure functions behind `resilience_report`. Does not belong here: how an interruption is read from events.
"""
