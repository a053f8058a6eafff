"""A sandbox in which drafts are made and run."""

import pytest

from credit_assets.commands.main import main
from tests.support.sandbox import Sandbox

LEFT = "DROP SCHEMA public CASCADE; DROP SCHEMA IF EXISTS lending CASCADE; CREATE SCHEMA public; SELECT setseed(0.42);"


class Drafts:
    """Inspects the tables of a sandbox, and runs what comes out.

    Args:
        sandbox: whose database has the tables, and whose settings file is written.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox

    def make(self, statements: str) -> None:
        """Replaces all tables of the sandbox's database."""
        self.sandbox.execute(LEFT + statements)

    def inspect(self, *arguments: str) -> int:
        """`credit-platform inspect` into the sandbox's settings file: its exit code."""
        self.sandbox.settings.unlink(missing_ok=True)
        with self.sandbox.entered():
            return main(["inspect", *arguments, "--output", str(self.sandbox.settings)])

    @property
    def text(self) -> str:
        """The draft."""
        return self.sandbox.settings.read_text()

    def edit(self, **lines: str) -> None:
        """Replaces lines of the draft, each by the key that it begins with.

        Raises:
            AssertionError: more lines than a person is to edit, or there is not one such line.
        """
        assert len(lines) <= 5
        written = self.text.splitlines()
        for key, line in lines.items():
            (place,) = (number for number, each in enumerate(written) if each.startswith(f"{key} = "))
            written[place] = f"{key} = {line}"
        self.sandbox.settings.write_text("\n".join(written))


@pytest.fixture
def drafts(sandbox: Sandbox) -> Drafts:
    """Drafts of tables that a test makes."""
    return Drafts(sandbox)
