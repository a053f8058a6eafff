"""An interruption that several tests start from."""

from resources.history.attempt import InterruptionKind
from resources.history.interruptions import Interruption

LOST = Interruption(
    run="a run",
    root_run="a run",
    when=0,
    node="spot-1",
    spot=True,
    kind=InterruptionKind.LOST,
    detected_after=9,
    running_again_after=15,
    work_lost=2,
    start_up=5,
)
