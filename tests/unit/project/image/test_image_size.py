"""A size that counts something else than the files of the image says that a node waits for less than it does."""

import os
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[4]
DOCKER = """#!/bin/sh
case $1 in
  create) echo made-of-$2 ;;
  export) cd {files} && tar --create * ;;
  rm) echo "$2" > {removed} ;;
esac
"""


@pytest.fixture
def measure(tmp_path: Path):
    """Calls helm/image_size, with a docker whose image has the files of a folder, and a zstd that keeps 3 MB."""
    library = tmp_path / "files" / "opt/venv/lib/python3.11/site-packages/pyarrow"
    library.mkdir(parents=True)
    (library / "libarrow.so").write_bytes(b"\0" * 7_000_000)
    (tmp_path / "files" / "usr/lib").mkdir(parents=True)
    (tmp_path / "files" / "usr/lib/libc.so").write_bytes(b"\0" * 2_000_000)
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "docker").write_text(DOCKER.format(files=tmp_path / "files", removed=tmp_path / "removed"))
    (programs / "zstd").write_text('#!/bin/sh\nhead --bytes 3000000 "$3"\n')
    for program in programs.iterdir():
        program.chmod(0o755)

    def call() -> str:
        command = [REPOSITORY / "helm" / "image_size", "image:tag"]
        environment = {"PATH": f"{programs}:{os.environ['PATH']}"}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout

    return call


def test_it_prints_both_sizes_and_then_the_parts_the_biggest_first(measure) -> None:
    compressed, unpacked, _, *parts = measure().splitlines()
    assert unpacked.split() == ["9", "MB", "unpacked"]
    assert compressed.split() == ["3", "MB", "compressed", "with", "zstd"]
    assert [part.split()[0::2] for part in parts[:2]] == [["7", "pyarrow"], ["2", "/usr/lib"]]


def test_it_leaves_no_container_behind(measure, tmp_path: Path) -> None:
    measure()
    assert (tmp_path / "removed").read_text() == "made-of-image:tag\n"
