"""The draft as a file: TOML with comments, which the settings read back, and lines that a person has to look at.

Belongs here: how lines are written. Does not belong here: which lines there are.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from credit_assets.inspection.lines import FILL_IN, LOOK, Line, Sections
from credit_assets.settings.file import Settings, load_settings

if TYPE_CHECKING:
    from tomlkit.items import Item

ABOUT = {"personal": "the model never sees these columns; they are for the fairness table only"}
LEFT_OUT = {
    "target": "If a young loan has no outcome yet whatever its column says, remove the # and correct the time.",
    "features": "Left out. To let the model learn from one of them, remove the # before it.",
    "personal": "Left out of the fairness table.",
}


def write_draft(header: Sequence[str], sections: Sections) -> str:
    """The text of the settings file.

    Args:
        header: comments at its head, a line each.
        sections: the lines of each section, in their order.
    """
    import tomlkit

    document = tomlkit.document()
    for line in header:
        document.add(tomlkit.comment(_one_line(line)))
    for name, lines in sections.items():
        if not lines:
            continue
        table = tomlkit.table()
        if name in ABOUT:
            table.comment(ABOUT[name])
        for line in lines:
            if line.state != "left out":
                item = _make_item("" if line.state == "open" else line.value)
                table.add(line.key, item.comment(_one_line(line.comment)))
        if left_out := [line for line in lines if line.state == "left out"]:
            table.add(tomlkit.comment(LEFT_OUT[name]))
            for line in left_out:
                table.add(tomlkit.comment(_one_line(_write_left_out(line))))
        document.add(tomlkit.nl())
        document.add(name, table)
    return tomlkit.dumps(document)


def check_draft(header: Sequence[str], sections: Sections) -> Settings:
    """Reads the draft back as a run will, with examples in the place of what a person must fill in.

    Raises:
        SettingsError: the draft is not a settings file. That is a defect of ours.
    """
    filled = {
        name: [replace(line, state="kept") if line.state == "open" else line for line in lines]
        for name, lines in sections.items()
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "draft.toml"
        path.write_text(write_draft(header, filled), encoding="utf-8")
        return load_settings(path)


def find_marks(text: str) -> list[tuple[int, str]]:
    """The lines that a person has to look at or to fill in: each number, counted from 1, with the line."""
    lines = enumerate(text.splitlines(), 1)
    return [(number, line) for number, line in lines if f"# {LOOK}" in line or f"# {FILL_IN}" in line]


def _make_item(value: Any) -> "Item":
    import tomlkit

    if not isinstance(value, dict):
        return tomlkit.item(value)
    inline = tomlkit.inline_table()
    inline.update(value)
    return tomlkit.value(f"{{ {inline.as_string()[1:-1]} }}")


def _write_left_out(line: Line) -> str:
    import tomlkit

    key = tomlkit.key(line.key).as_string()
    if line.value is None:
        return f"{key}: {line.comment}"
    return f"{key} = {_make_item(line.value).as_string()} # {line.comment}"


def _one_line(text: str) -> str:
    """Without characters that TOML refuses in a comment; a name may have any of them."""
    return "".join(each if each.isprintable() else " " for each in text)
