"""What sub-commands have in common: their help, their exit codes, and the values that a person may type.

Belongs here: types of arguments and options, and their refusal before anything starts. Does not belong here: the
sub-commands (`main`, `release`).
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from resources.deployment import Deployment, local_address

DEFAULT_SETTINGS = Path("settings/loans.toml")


EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted."
# OPEN: what was made lacks something that only a person can decide.
DONE, FAILED, OPEN = 0, 1, 3


class Command(click.Command):
    """A sub-command whose help ends with the exit codes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"epilog": EXIT_CODES, **options})


class Group(click.Group):
    """A group of sub-commands, likewise."""

    command_class = Command
    group_class = type

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **{"epilog": EXIT_CODES, **options})


# The same limits as those of the job's config, which is checked only after its run exists.
CHOSEN = r"^([1-9]\d{0,7}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
SHORTEST_WHO, SHORTEST_WHY = 2, 4


class Filled(click.ParamType):
    """Text that is not empty: an unset variable of a shell is an empty argument, and is no choice.

    Args:
        make: makes the value from the text.
        shortest: how many characters it has at least.
    """

    name = "text"

    def __init__(self, make: Callable[[str], Any] = str, shortest: int = 1) -> None:
        self.make, self.shortest = make, shortest

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value of the text.

        Raises:
            click.BadParameter: the text is empty or too short.
        """
        if not (text := str(value).strip()):
            self.fail("it is empty; give a value, or leave it out", param, ctx)
        if len(text) < self.shortest:
            self.fail(f"{text!r} is too short: expected at least {self.shortest} characters", param, ctx)
        return self.make(value)


class ChosenSet(click.ParamType):
    """What names a set: the number of a promotion, or the id of a run."""

    name = "set"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text as it is.

        Raises:
            click.BadParameter: it is neither.
        """
        if not re.fullmatch(CHOSEN, value, re.ASCII):
            self.fail(f"{value!r} is neither the number of a promotion nor the id of a run", param, ctx)
        return value


settings_option = click.option(
    "--settings",
    type=Filled(Path),
    metavar="FILE",
    help=f"The settings file. Default: PLATFORM_SETTINGS, or {DEFAULT_SETTINGS}.",
)
ui_option = click.option("--ui", default=local_address(), show_default=True, help="Address of the webserver.")
patience_option = click.option(
    "--patience", type=click.IntRange(min=1), default=600, show_default=True, help="Seconds to wait at most."
)


def choose_settings(option: Path | None, outside: Deployment) -> Path:
    """The settings file that is meant: the option's, or that of PLATFORM_SETTINGS, or the shipped one."""
    return option or Path(outside.settings or DEFAULT_SETTINGS)


def refuse_together(options: dict[str, Any]) -> None:
    """Refuses options that contradict each other.

    Raises:
        click.UsageError: more than one of them is given.
    """
    given = [name for name, value in options.items() if value is not None]
    if len(given) > 1:
        raise click.UsageError(f"{' and '.join(given)} contradict each other: give one of {', '.join(options)}")
