"""Recovery in a simulated world: one clock, one seed, thousands of histories (docs/simulation.md).

Belongs here: the clock, the faults, what must hold, and the command. The parts of the world that are models are in
`models`, and the programs that act in it are in `actors`. Does not belong here: a decision of the platform. The world
imports those from `resources` and `credit_assets`, and never the other way round.
"""
