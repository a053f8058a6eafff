"""The start of a run's worker, by the name that pods of other releases use too (`resources/__init__.py`)."""

import sys

from resources.machine.console_script import main

if __name__ == "__main__":
    sys.exit(main())
