"""Values of a release whose PostgreSQL is somebody else's: what a managed database needs to be named."""

from typing import Any

MANAGED: dict[str, dict[str, Any]] = {
    "postgresql": {"enabled": False, "postgresqlHost": "db.example"},
    "global": {"postgresqlSecretName": "given"},
    "loans": {"secretName": "loans"},
}
