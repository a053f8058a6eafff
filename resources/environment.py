"""Environment variables: how a row of a table of variables is declared, and how all rows are read.

Belongs here: parsing, old names, the refusal of unknown names, and the environment of other processes. Does not belong
here: which variables there are (`resources.deployment`). No other module of the platform touches `os.environ`, except
for AWS's variables. It imports neither Dagster nor pydantic.
"""

import logging
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import Field, field
from typing import Any

from resources.errors import PlatformError

log = logging.getLogger(__name__)

PREFIX = "PLATFORM_"
# What Kubernetes adds for a Service whose name begins with "platform", unless a pod turns its service links off.
SERVICE_LINK = re.compile(r"\w+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
SERVICE_ADDRESS = re.compile(r"(tcp|udp|sctp)://")


class DeploymentError(PlatformError, ValueError):
    """A variable is unknown, missing, wrong, or set to two values: names it, and says what was expected."""


def variable(
    name: str,
    meaning: str,
    *,
    old: str = "",
    default: Any = None,
    parse: Callable[[str], Any] = str,
    secret: bool = False,
    refuse_empty: bool = False,
) -> Any:
    """A row of the table: a field of a dataclass, and the environment variable that it is read from.

    Args:
        name: of the variable. Without our prefix it is another program's variable.
        meaning: for people, also in the error if the variable is needed and missing.
        old: the name in the release before, which still works.
        default: what an absent variable means. None: whoever needs the value refuses its absence.
        parse: makes the value from the text, or raises ValueError with what was expected.
        secret: whether the value must not be printed.
        refuse_empty: whether an empty variable is an error. Otherwise it counts as one that is not set.
    """
    row = {"name": name, "meaning": meaning, "old": old, "parse": parse, "secret": secret, "refuse_empty": refuse_empty}
    return field(default=default, repr=not secret, metadata=row)


def read_variables(table: Sequence[Field[Any]], environ: Mapping[str, str] | None = None) -> dict[str, Any]:
    """The values of all variables that are set, by field name.

    Args:
        table: fields that `variable` declared.
        environ: the variables; those of this process if None.

    Raises:
        DeploymentError: a value is wrong, or empty where that is refused, or the old and the new name of a variable
            have different values.
    """
    environ = os.environ if environ is None else environ
    values, old_names = dict[str, Any](), list[str]()
    for each in table:
        row = each.metadata
        text, old_text = environ.get(row["name"]), environ.get(row["old"])
        if text and old_text and text != old_text:
            raise DeploymentError(
                f"{row['name']} and its old name {row['old']} have different values: unset {row['old']}"
            )
        if "" in (text, old_text) and not (text or old_text) and row["refuse_empty"]:
            raise DeploymentError(f"{row['name']} is empty: expected {row['meaning']}. Set it, or unset it")
        if old_text and not text:
            old_names.append(f"{row['old']} is now {row['name']}")
        if text := text or old_text:
            values[each.name] = _parse(row, text)
    if old_names:
        log.warning("old names of variables end with the next release: %s", ", ".join(old_names))
    return values


def unknown_variables(table: Sequence[Field[Any]], environ: Mapping[str, str] | None = None) -> list[str]:
    """The variables with our prefix that no row declares. What Kubernetes adds for Services is not ours."""
    known = {each.metadata["name"] for each in table}
    return sorted(
        name
        for name, text in (os.environ if environ is None else environ).items()
        if name.startswith(PREFIX)
        and name not in known
        and not SERVICE_LINK.fullmatch(name)
        and not (name.endswith("_PORT") and SERVICE_ADDRESS.match(text))
    )


def find_set_variables(names: Sequence[str]) -> list[str]:
    """Those of the named variables that are set and not empty, for libraries that read them by themselves."""
    return [name for name in names if os.environ.get(name)]


def read_secret(name: str, meaning: str) -> str:
    """The text of a variable that a settings file names, and that the table of variables does not know.

    Args:
        name: of the variable.
        meaning: for people, in the error.

    Raises:
        DeploymentError: it is not set, or it can't stand in a header of HTTP. The message does not show it.
    """
    text = os.environ.get(name, "").strip()
    if not text:
        raise DeploymentError(f"{name} is not set: expected {meaning}")
    if not (text.isascii() and text.isprintable()):
        raise DeploymentError(f"{name} has a character that can't be sent: expected {meaning}, in printable ASCII")
    return text


def child_environment(*, without: Sequence[str] = (), **changed: str) -> dict[str, str]:
    """This process's environment for a child process, less some variables, with others set."""
    return {name: text for name, text in os.environ.items() if name not in without} | changed


def set_default(name: str, text: str) -> None:
    """Sets a variable that another library reads, in this process and its children, unless it is set already."""
    os.environ.setdefault(name, text)


@contextmanager
def changed_environment(*, without: Sequence[str] = (), **changed: str) -> Iterator[None]:
    """Changes variables of this process for a library that reads its own, and puts all variables back at the end."""
    before = dict(os.environ)
    for name in without:
        os.environ.pop(name, None)
    os.environ.update(changed)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def one_of(*choices: str) -> Callable[[str], str]:
    """A parser that accepts these words only."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(" or ".join(choices))
        return text

    return parse


def whole_number(text: str) -> int:
    """Parses a whole number, not below 0."""
    if not re.fullmatch(r"\d{1,9}", text, re.ASCII):
        raise ValueError("a whole number, not below 0")
    return int(text)


def seconds(text: str) -> float:
    """Parses seconds, above 0."""
    if not re.fullmatch(r"\d{1,9}(\.\d+)?", text, re.ASCII) or float(text) <= 0:
        raise ValueError("seconds, a number above 0")
    return float(text)


def port(text: str) -> int:
    """Parses a TCP port."""
    if not re.fullmatch(r"\d{1,5}", text, re.ASCII) or not 1 <= int(text) <= 65_535:
        raise ValueError("a port, 1 to 65535")
    return int(text)


def _parse(row: Mapping[str, Any], text: str) -> Any:
    try:
        return row["parse"](text)
    except ValueError as error:
        shown = "" if row["secret"] else f"={text!r}"
        raise DeploymentError(f"{row['name']}{shown}: expected {error}") from None
