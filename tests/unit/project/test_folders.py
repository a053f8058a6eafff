"""A folder with many files hides the one that is looked for, and says nothing about what belongs in it."""

import subprocess
from collections import Counter
from pathlib import Path, PurePosixPath

import pytest

REPOSITORY = Path(__file__).parents[3]
MOST_FILES = 10


def tracked_files(folder: Path) -> list[str]:
    """The files below the folder that git tracks, each by its path."""
    command = ["git", "ls-files", "-z"]
    try:
        listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.fail("git is not installed: this test counts the files that git tracks")
    if listed.returncode:
        pytest.fail(f"`git ls-files` fails, and this test counts the files that it lists: {listed.stderr.strip()}")
    return [name for name in listed.stdout.split("\0") if name]


def crowded_folders(files: list[str]) -> dict[str, int]:
    """The folders that have more files of their own than they may, each with their number."""
    counts = Counter(str(PurePosixPath(file).parent) for file in files)
    return {folder: count for folder, count in sorted(counts.items()) if count > MOST_FILES}


def test_no_folder_of_the_repository_has_more_than_ten_files() -> None:
    files = tracked_files(REPOSITORY)
    assert {"README.md", "tests/unit/project/test_tiers.py"} <= set(files)
    said = [f"{folder} has {count} files" for folder, count in crowded_folders(files).items()]
    assert not said, f"{', '.join(said)}; at most {MOST_FILES}: group them by subject"


def test_a_folder_with_an_eleventh_file_is_named_and_one_with_ten_and_folders_of_its_own_is_not() -> None:
    ten = [f"full/{number}.py" for number in range(10)]
    assert crowded_folders([*ten, *(f"full/below/{number}.py" for number in range(10)), "full/other/one.py"]) == {}
    assert crowded_folders([*ten, "full/11.py"]) == {"full": 11}
    assert crowded_folders([f"{number}.md" for number in range(11)]) == {".": 11}


def test_without_git_or_its_repository_the_count_fails_and_says_so(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(pytest.fail.Exception, match=r"`git ls-files` fails.*not a git repository"):
        tracked_files(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(pytest.fail.Exception, match="git is not installed"):
        tracked_files(tmp_path)
