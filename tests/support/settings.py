"""Settings files of the tests: the repository's own with fewer loans, or one that declares a small table."""

from pathlib import Path

from credit_assets.settings.pricing import Pricing

REPOSITORY = Path(__file__).parents[2]
LOANS_SETTINGS = REPOSITORY / "settings" / "loans.toml"

_DECLARED = """\
[table]
name = "loans"
[target]
column = "default_status"
[features]
{features}
[personal]
{personal}
[limits]
minimum_rows = {minimum_rows}
"""


def settings_text(features: str, personal: str = "", minimum_rows: int = 100) -> str:
    """The text of a settings file for a table `loans`.

    Args:
        features: TOML lines, one for each column that the model learns from.
        personal: TOML lines, one for each column that only the fairness table reads.
        minimum_rows: fewer rows than this fail the check `enough_rows`.
    """
    return _DECLARED.format(features=features.strip(), personal=personal.strip(), minimum_rows=minimum_rows)


def write_loans_settings(path: Path, rows: int, locations: int = 0, applications: int = 50) -> Path:
    """Writes a copy of `settings/loans.toml` whose empty tables are filled with so many loans and locations.

    Args:
        path: of the copy.
        rows: loans.
        locations: how many there are.
        applications: open ones, in each location.
    """
    text = LOANS_SETTINGS.read_text()
    for declared, wanted in (
        ("generate = 20_000", f"generate = {rows}"),
        ("locations = 200", f"locations = {locations}"),
        ("applications = 50", f"applications = {applications}"),
    ):
        if text.count(declared) != 1:
            raise AssertionError(f"{LOANS_SETTINGS} does not say `{declared}` once any more: correct this function")
        text = text.replace(declared, wanted)
    path.write_text(text)
    return path


def make_pricing(**more: int) -> Pricing:
    """The section `pricing` with round numbers.

    Args:
        more: settings that have no value here, by their name.
    """
    return Pricing(
        segment="segment",
        prices="prices",
        base_rate=0.04,
        loss_given_default=0.5,
        minimum_rate=0.05,
        maximum_rate=0.3,
        maximum_step=0.02,
        **more,
    )
