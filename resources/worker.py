"""The command of a run's pod, by the name that pods of other releases use too (`resources/__init__.py`)."""

import sys

from resources.supervision.worker import main

if __name__ == "__main__":
    sys.exit(main())
