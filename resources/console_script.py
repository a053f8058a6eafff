"""The start of a run's worker, by the name that pods of other releases use too (`resources/__init__.py`)."""

import sys

from resources.machine.console_script import colors_left_out, imports_not_searched, main

if __name__ == "__main__":
    with imports_not_searched(), colors_left_out():
        import resources.instance_storage  # noqa: F401 - a worker opens it before anything else
    sys.exit(main())
