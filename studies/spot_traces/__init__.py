"""Measured interruptions of spot machines, replayed over simulated weeks with the platform's own code."""
