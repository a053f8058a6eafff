"""Asset checks: what must hold at every arrow before anything is committed or goes on."""
