"""The benchmarks: what the platform costs, compared with simpler programs. Run `python -m bench`.

Belongs here: figures that are measured on this code. Does not belong here: calculations and simulations (`studies`).
"""
