"""Decisions by the text that another library prints, because that library offers no typed fact.

Belongs here: every such decision, as a pure function on a text, with the library and its version. A test makes the real
library print the text (tests/unit/error_texts, tests/assets/error_texts), so that an upgrade which changes a text fails
a test. Does not belong here: what follows from the decision.
"""

import re

# Dagster 1.13 logs an error as `package.module.Class: message`, and its class without the package.
OUR_PACKAGES = ("credit_assets.", "resources.", "sensors.")


def is_broken_request(text: str) -> bool:
    """Whether the connection to an object store broke, so that nobody knows whether the request was carried out.

    obstore 0.12 raises `GenericError` for this and for most other faults. The words are those of reqwest below it.
    """
    return "error sending request" in text


def find_mistrust(text: str) -> str | None:
    """Why no connection to an object store can be trusted, and the variable to look at. None for another fault.

    obstore 0.12 has it only in the dump of Rust structures that follows its message: rustls's word about a certificate,
    and hyper's about a proxy.
    """
    if found := re.search(r"InvalidCertificate\(\s*(\w+)", text):
        return (
            f"the certificate that it shows is not accepted ({found[1]}). Name a file with the CA that signed it in "
            "AWS_CA_BUNDLE, or renew the certificate"
        )
    if "ProxyAuthRequired" in text:
        return "the proxy asks for a user and a password. Set them in HTTPS_PROXY, or exclude the store in NO_PROXY"
    return None


def find_os_error(text: str) -> int | None:
    """The number of the operating system's error in an error of obstore 0.12, which has it in its text only."""
    found = re.search(r"\(os error (\d+)\)", text)
    return int(found[1]) if found else None


def is_missing_bucket(text: str) -> bool:
    """Whether an object is missing because its bucket is. obstore 0.12 raises `FileNotFoundError` for both."""
    return "NoSuchBucket" in text


def shorten_store_error(text: str) -> str:
    """An error of obstore 0.12 without the dump of Rust structures and of the server's answer that follows it."""
    return " ".join(text.split("\n\nDebug source", maxsplit=1)[0].split())[:400]


def is_database_away(text: str) -> bool:
    """Whether nobody answered a connection to PostgreSQL, or a server that is starting or stopping.

    psycopg2 2.9 sets no SQLSTATE when a connection fails. libpq writes `FATAL:` before what a server itself refuses;
    PostgreSQL 16 says "the database system is starting up", "… shutting down" or "… in recovery mode". libpq 17 itself
    refuses a service that it does not find, and a value that is none of a parameter's.
    """
    if re.search(r"definition of service|service file|invalid \S+ value", text):
        return False
    return "FATAL:" not in text or "the database system is" in text


def find_table_with_policy(text: str) -> str | None:
    """The table whose row policy would hide rows. PostgreSQL 18 has its name in the message of this refusal only."""
    found = re.search(r'query would be affected by row-level security policy for table "(.+)"', text)
    return found[1] if found else None


def find_copy_position(context: str) -> str | None:
    """Where COPY stopped, `line 3, column age`, without the value. PostgreSQL 16 has this in its context only."""
    found = re.search(r"line \d+(, column \w+)?", context)
    return found[0] if found else None


def find_csv_column(text: str) -> int | None:
    """The index of the column whose value can't be converted. pyarrow 26 raises `ArrowInvalid` with a message only."""
    found = re.match(r"In CSV column #(\d+)", text)
    return int(found[1]) if found else None


def is_forbidden_field(error: Exception) -> bool:
    """Whether a run asks for a field of a pod that the instance does not allow.

    dagster-k8s 0.29 raises `Exception` itself for this, and a class of its own or of kubernetes for all other faults.
    """
    return type(error) is Exception


def is_failed_health_check(text: str) -> bool:
    """Whether a step's own pod was lost. Dagster 1.13 logs an error that has a message and no class."""
    return "failed health check: " in text


def has_no_steps_left(text: str) -> bool:
    """Whether Dagster 1.13 refuses to retry a run from its failure because all of its steps had ended.

    GraphQL answers with a `PythonError` that has a message and no code.
    """
    return "No steps needed to be retried" in text


def is_from_dagster(message: str) -> bool:
    """Whether an error in Dagster's event log is one of Dagster's own."""
    return message.startswith("dagster")


def is_from_us(message: str) -> bool:
    """Whether an error in Dagster's event log is one of this platform's own, which quotes no row."""
    return message.startswith(OUR_PACKAGES)


def remove_class_name(message: str) -> str:
    """An error in Dagster's event log without the name of its class."""
    return message.partition(": ")[2].strip()
