"""A drill that follows a chapter which a page no longer has fails on the day when somebody needs it, and not before."""

import shlex

import pytest

from tests.drills.support import pages
from tests.drills.support.pages import RESTORE_PAGE, Steps

FOLLOWED = {name: each for name, each in vars(pages).items() if isinstance(each, Steps)}


@pytest.mark.parametrize("steps", FOLLOWED.values(), ids=FOLLOWED)
def test_a_page_has_the_commands_that_a_drill_follows(steps: Steps) -> None:
    lines = [line for line in steps.read().splitlines() if line]
    assert lines
    assert all(shlex.split(line)[0] in {"kubectl", "helm/restore"} or line.startswith("job=") for line in lines), lines


@pytest.mark.parametrize("steps", [Steps(RESTORE_PAGE, "Restore"), Steps(RESTORE_PAGE, "Mitigation", 3)])
def test_a_chapter_or_a_block_that_a_page_does_not_have_is_named(steps: Steps) -> None:
    with pytest.raises(AssertionError, match=r"docs/runbooks/restore-postgresql\.md.*(Restore|Mitigation)"):
        steps.read()
