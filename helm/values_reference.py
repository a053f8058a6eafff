"""Prints docs/kubernetes/values.md from the chart's values.yaml: each value, its default, and the comment above it."""

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

VALUES = Path(__file__).parent / "credit-platform" / "values.yaml"
HEAD = """# Values
This page is generated from [values.yaml](../../helm/credit-platform/values.yaml) by `helm/values_reference.py`.
To change a text, change it there. Each line has the name, the default and the meaning.
Helm refuses a name that is not here."""


def find_comment(lines: list[str], number: int) -> str:
    """The comment that ends on the line before this one, as one paragraph; empty if there is none."""
    first = number
    while first and lines[first - 1].lstrip().startswith("#"):
        first -= 1
    return " ".join(line.strip().removeprefix("#").strip() for line in lines[first:number])


def list_values(node: yaml.Node, lines: list[str], path: tuple[str, ...] = ()) -> Iterator[tuple[str, str, yaml.Node]]:
    """Name, comment and default of everything in a mapping; a section comes before its values.

    A mapping in braces is one value; every other mapping is a section.
    """
    if isinstance(node, yaml.MappingNode) and not node.flow_style:
        for key, value in node.value:
            name = (*path, key.value)
            yield ".".join(name), find_comment(lines, key.start_mark.line), value
            yield from list_values(value, lines, name)


def format_default(node: yaml.Node) -> str:
    """A default on one line, as it would be written in YAML."""
    value: Any = yaml.safe_load(yaml.serialize(node))
    return value if isinstance(value, str) and value else json.dumps(value)


def format_page(text: str) -> str:
    """The page: a heading for each section, a line for each value."""
    root, lines = yaml.compose(text), text.splitlines()
    page = [HEAD]
    for name, comment, node in list_values(root, lines):
        is_section = isinstance(node, yaml.MappingNode) and not node.flow_style
        if "." not in name:
            page.append(f"\n## {name}")
        if is_section:
            page += [wrap(comment if "." not in name else f"- `{name}`: {comment}")] if comment else []
        else:
            page.append(wrap(f"- `{name}`: `{format_default(node)}`{'. ' if comment else ''}{comment}"))
    return "\n".join(page)


def wrap(text: str) -> str:
    """A paragraph or a list item, in lines."""
    return textwrap.fill(
        text, 120, subsequent_indent="  " * text.startswith("- "), break_long_words=False, break_on_hyphens=False
    )


if __name__ == "__main__":
    print(format_page(VALUES.read_text()))
