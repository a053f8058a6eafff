"""Where bytes live and what runs talk to: stores, checkpoints, databases. Knows no credit words."""
