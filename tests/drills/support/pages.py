"""The commands of the pages that drills follow: a drill runs what the page says, unchanged.

Belongs here: which chapter of which page a drill follows. Does not belong here: running the commands.
"""

import re
from dataclasses import dataclass

from tests.support.pages import FENCE, ROOT


@dataclass(frozen=True)
class Steps:
    """One block of commands on a page.

    Attributes:
        page: its path below `docs`.
        chapter: the heading above the block, without its marks; None: the page has no chapters.
        block: which of the chapter's blocks of commands, from 1.
    """

    page: str
    chapter: str | None
    block: int = 1

    def read(self) -> str:
        """The commands.

        Raises:
            AssertionError: the page has no such chapter, or the chapter has no such block.
        """
        text = (ROOT / "docs" / self.page).read_text()
        chapters = [text]
        if self.chapter is not None:
            pattern = rf"^## {re.escape(self.chapter)}$(.*?)(?=^## |\Z)"
            chapters = re.findall(pattern, text, re.MULTILINE | re.DOTALL)
        assert len(chapters) == 1, f"docs/{self.page} has {len(chapters)} chapters {self.chapter!r}; expected one"
        blocks = [code for language, code in FENCE.findall(chapters[0]) if not language]
        assert len(blocks) >= self.block, f"docs/{self.page}, {self.chapter}: {len(blocks)} blocks of commands"
        return blocks[self.block - 1]


RESTORE_PAGE = "runbooks/restore-postgresql.md"
BACK_UP = Steps(RESTORE_PAGE, "Back up now")
EMPTY_THE_VOLUME, RESTORE = Steps(RESTORE_PAGE, "Mitigation", 1), Steps(RESTORE_PAGE, "Mitigation", 2)
SEPARATE_REPLICAS = Steps("decisions/kubernetes/0016-replicas-apart-again.md", None)
