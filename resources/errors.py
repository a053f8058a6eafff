"""The base of every error that this platform raises on purpose."""


class PlatformError(Exception):
    """An error for a person: it names the setting, column or file, what was expected, and what to do."""
