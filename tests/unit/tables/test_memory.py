"""An allocator that keeps what was freed makes the memory of a whole refresh from that of one column."""

import subprocess
import sys

import pytest

from resources.environment import child_environment

PRINT = "import credit_assets.tables.kinds, pyarrow; print(pyarrow.default_memory_pool().backend_name)"


@pytest.mark.parametrize(
    ("chosen", "expected"), [({}, "system"), ({"ARROW_DEFAULT_MEMORY_POOL": "mimalloc"}, "mimalloc")]
)
def test_arrow_gives_back_what_was_freed_unless_somebody_chose_another_allocator(
    chosen: dict[str, str], expected: str
) -> None:
    environment = child_environment(without=["ARROW_DEFAULT_MEMORY_POOL"]) | chosen
    done = subprocess.run([sys.executable, "-c", PRINT], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == expected
