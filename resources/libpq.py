"""Connections by libpq: a variable of the shell completes no URL, and a session has the settings that we know.

Belongs here: which parameters a URL leaves open, which settings change what is read or stored, and their values. Does
not belong here: who connects, and what an error says (`resources.services.database`, `resources.instance`).
"""

from collections.abc import Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from resources.environment import DeploymentError, find_set_variables

if TYPE_CHECKING:
    from psycopg2.extensions import cursor

# Where a connection leads and what its session begins with. Each variable completes a URL, or sends it elsewhere.
# An empty parameter counts as named, so that libpq takes its own default and not the variable.
PLACE = {
    "PGHOST": ("host", ""),
    "PGHOSTADDR": ("hostaddr", ""),
    "PGPORT": ("port", ""),
    "PGDATABASE": ("dbname", ""),
    "PGUSER": ("user", ""),
    "PGOPTIONS": ("options", ""),
    # Of several hosts in a URL, these choose the one that is read.
    "PGTARGETSESSIONATTRS": ("target_session_attrs", "any"),
    "PGLOADBALANCEHOSTS": ("load_balance_hosts", "disable"),
}
# These have no parameter by which a connection could refuse them. What they set is overruled by SESSION. A value that
# nobody knows ends in an error that names the variable.
BEGINNING = ("PGSERVICE", "PGTZ", "PGDATESTYLE", "PGGEQO")
# What a shell says to all programs, and no program of one machine needs.
OF_THE_SHELL = (*PLACE, *BEGINNING)
# These prove who connects, and to whom. They let a connection be or refuse it, and change no row.
PROOF = (
    "PGSERVICEFILE", "PGSYSCONFDIR", "PGPASSFILE", "PGREQUIREAUTH", "PGCHANNELBINDING", "PGREQUIREPEER", "PGSSLMODE",
    "PGSSLNEGOTIATION", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "PGSSLCERTMODE", "PGSSLCRL", "PGSSLCRLDIR",
    "PGSSLSNI", "PGSSLCOMPRESSION", "PGREQUIRESSL", "PGSSLMINPROTOCOLVERSION", "PGSSLMAXPROTOCOLVERSION",
    "PGGSSENCMODE", "PGGSSLIB", "PGGSSDELEGATION", "PGKRBSRVNAME",
)  # fmt: skip
# What a role, a database or a server may have set, and the value that a session of ours has. PostgreSQL knows not all
# of them in every version.
SESSION = {
    # A limit of a role is meant for people. Ours are in the code that needs one.
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    # How values are printed as text, and read from it. These are PostgreSQL's own defaults.
    "DateStyle": "ISO, MDY",
    "TimeZone": "UTC",
    "IntervalStyle": "postgres",
    "extra_float_digits": "1",
    "bytea_output": "hex",
    "xmlbinary": "base64",
    "xmloption": "content",
    "array_nulls": "on",
    # to_char() of a view prints names of months and signs of money by these.
    "lc_monetary": "C",
    "lc_numeric": "C",
    "lc_time": "C",
    "default_text_search_config": "pg_catalog.simple",
    # What a statement means.
    "transform_null_equals": "off",
    "quote_all_identifiers": "off",  # format_type() would print "text" for text
    "restrict_nonsystem_relation_kind": "",  # a role may be kept from views
}
# A name without a schema is one thing for everybody: temporary tables come last, where they hide no other.
SEARCH_PATH = "public, pg_temp"
# Only a superuser may change these, so that a session can't put them right.
UNCHANGEABLE = {"session_replication_role": "origin", "zero_damaged_pages": "off", "ignore_checksum_failure": "off"}


def close_gaps(url: str, setting: str) -> dict[str, Any]:
    """The parameters that a URL leaves open, with values that keep variables of the shell from filling them.

    Args:
        url: a connection string that libpq can read.
        setting: where the URL was read, for the error.

    Raises:
        DeploymentError: the URL names a service, whose file may leave parameters open, and a variable would fill them.
    """
    from psycopg2.extensions import parse_dsn

    named = parse_dsn(url)
    if "service" not in named:
        return {name: value for name, value in PLACE.values() if name not in named}
    open_to = [variable for variable, (name, _) in PLACE.items() if name not in named]
    if found := find_set_variables(open_to):
        raise DeploymentError(
            f"{setting} names the service {named['service']}, whose file may leave something open, and "
            f"{', '.join(found)} would fill it. Unset {'them' if found[1:] else 'it'}, or write host, port, database "
            f"and user into {setting}"
        )
    return {}


def describe_variables() -> str:
    """A sentence on the variables that libpq took from the shell, for an error; empty if there is none."""
    found = find_set_variables([*BEGINNING, *PROOF])
    return f". libpq also read {', '.join(found)} from the environment: unset or correct what is wrong" if found else ""


def set_session(cursor: "cursor", more: Mapping[str, str] | None = None, *, is_local: bool = True) -> list[str]:
    """Gives the settings of a session their known values, whatever role, database, service or shell have set.

    Args:
        cursor: of a connection whose transaction has run no statement yet.
        more: further settings with their values.
        is_local: whether they hold for this transaction only: a pooler gives the next one to another client.

    Returns:
        The settings that have another value and can't be changed, each with the value that is expected.
    """
    # First and alone: a limit of a few milliseconds would end the next statement.
    cursor.execute(f"SET {'LOCAL' if is_local else 'SESSION'} statement_timeout = 0")
    # The functions have their schema, because until here one of the role's search_path may hide PostgreSQL's.
    wanted = {**SESSION, **(more or {})}
    cursor.execute(
        f"SELECT pg_catalog.set_config(name, value, %s) FROM (VALUES {_list_pairs(wanted)}) AS wanted (name, value) "  # noqa: S608 only placeholders
        "WHERE pg_catalog.current_setting(name, true) IS NOT NULL",
        (is_local, *chain.from_iterable(wanted.items())),
    )
    cursor.execute(
        f"SELECT name || ' = ' || value FROM (VALUES {_list_pairs(UNCHANGEABLE)}) AS wanted (name, value) "  # noqa: S608 as above
        "WHERE current_setting(name, true) <> value ORDER BY name",
        tuple(chain.from_iterable(UNCHANGEABLE.items())),
    )
    return [setting for (setting,) in cursor.fetchall()]


def _list_pairs(settings: Mapping[str, str]) -> str:
    return ", ".join(["(%s, %s)"] * len(settings))
