"""Prints docs/values.md from the chart's values.yaml: every value, its default, and the comment above it."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

VALUES = Path(__file__).parent / "credit-platform" / "values.yaml"
HEAD = """# Values
Made of [values.yaml](../helm/credit-platform/values.yaml), the place to change it, by `helm/values_reference.py`.
Each line: the name, the default, what it buys. A name that is not here is refused."""


def comment_above(lines: list[str], number: int) -> str:
    """The comment that ends on the line before this one, as one paragraph; empty if there is none."""
    first = number
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip().removeprefix("#").strip() for line in lines[first:number])


def described(node: yaml.Node, lines: list[str], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, yaml.Node]]:
    """Name, comment and default of everything in a mapping, its sections before what is in them.

    A mapping in braces is one value, another a section.
    """
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            name = (*path, key.value)
            yield ".".join(name), comment_above(lines, key.start_mark.line), value
            yield from described(value, lines, name)


def default(node: yaml.Node) -> str:
    """A default on one line, as one would write it in YAML."""
    value: Any = yaml.safe_load(yaml.serialize(node))
    return value if isinstance(value, str) and value else json.dumps(value)


def reference(text: str) -> str:
    """The page: a heading for each section, a line for each value."""
    root, lines = yaml.compose(text), text.splitlines()
    page = [HEAD]
    for name, comment, node in described(root, lines):
        section = isinstance(node, yaml.MappingNode) and not node.flow_style
        if "." not in name:
            page.append(f"\n## {name}")
        if section:
            page += [wrapped(comment if "." not in name else f"- `{name}`: {comment}")] if comment else []
        else:
            page.append(wrapped(f"- `{name}`: `{default(node)}`{'. ' if comment else ''}{comment}"))
    return "\n".join(page)


def wrapped(text: str) -> str:
    """A paragraph or a list item, in lines."""
    return textwrap.fill(
        text, 120, subsequent_indent="  " * text.startswith("- "), break_long_words=False, break_on_hyphens=False
    )


if __name__ == "__main__":
    print(reference(VALUES.read_text()))
