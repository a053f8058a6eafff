"""The start of a run's worker, by the name that pods of other releases use too (`resources/__init__.py`)."""

import sys

from resources.machine.console_script import imports_at_start, main

if __name__ == "__main__":
    with imports_at_start():
        import resources.instance_storage  # noqa: F401 - a worker opens it before anything else
    sys.exit(main())
