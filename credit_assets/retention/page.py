"""The page of retention: what each rule deleted, what it kept, and why. For Dagster's UI, and as text for a terminal.

Belongs here: how removals are shown. Does not belong here: the rules.
"""

from collections.abc import Sequence

from credit_assets.retention.removal import Amount, Removal

TITLES = ("what", "deleted", "MB deleted", "kept", "MB kept", "why the rest is kept")


def show_removals(removals: Sequence[Removal], *, dry: bool) -> list[dict[str, str]]:
    """A row for each rule.

    Args:
        removals: what the rules found.
        dry: whether nothing was deleted.
    """
    titles = [title.replace("deleted", "to delete") if dry else title for title in TITLES]
    return [
        dict(zip(titles, (each.kind, *_show(each.goes), *_show(each.stays), each.why), strict=True))
        for each in removals
    ]


def write_removals(removals: Sequence[Removal], *, dry: bool) -> str:
    """The same as lines of text."""
    verb = "would delete" if dry else "deleted"
    return "\n".join(
        f"{each.kind}: {verb} {each.goes.count:,} ({each.goes.bytes / 1e6:,.1f} MB), keeps {each.stays.count:,} "
        f"({each.stays.bytes / 1e6:,.1f} MB): {each.why}"
        for each in removals
    )


def _show(amount: Amount) -> tuple[str, str]:
    return f"{amount.count:,}", f"{amount.bytes / 1e6:,.1f}"
