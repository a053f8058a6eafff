"""What several tests make up."""

from resources.history.interruptions import Interruption

LOST = Interruption(
    run="a run",
    root_run="a run",
    when=0,
    node="spot-1",
    spot=True,
    notice=False,
    crash=False,
    detected_after=9,
    running_again_after=15,
    work_lost=2,
    start_up=5,
)
