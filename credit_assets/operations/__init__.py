"""Whether every promoted set is whole, what losses of workers cost, and what a person sees of a run.

Belongs here: pure functions behind `resilience_report`, and the progress lines. Does not belong here: how an
interruption is found in the event log (`resources.history`).
"""
