"""The commands of one machine: its database, its history, a run in this process, and the UI.

Belongs here: what `run` and `ui` do, and what they print. Does not belong here: options (`main`), and commands that
work on a release of a cluster too (`promote`, `lineage`, `cluster`).
"""
