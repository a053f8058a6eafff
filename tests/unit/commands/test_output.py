"""Whoever reads the output may leave, or understand ASCII only: that is no error of the work.

Without these tests a run whose model is committed ends in a traceback, because its last line has a character that a
terminal lacks.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
PRINT = "from resources.machine.output import accept_all_output, finish_output; accept_all_output(); "
COMMAND = [sys.executable, "-m", "credit_assets.commands.main"]


def run_python(code: str, **changed: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-c", PRINT + code], env={**os.environ, **changed}, capture_output=True, check=False
    )


def test_a_character_that_the_terminal_lacks_is_printed_as_its_number() -> None:
    code = r"print('Z\xfcrich \u2026')"
    done = run_python(code, **ASCII)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"Z\\xfcrich \\u2026\n", b"")
    utf8 = run_python(code, PYTHONIOENCODING="utf-8")
    assert utf8.stdout == "Zürich …\n".encode()


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_work_goes_on_when_its_reader_has_left(stream: str) -> None:
    other = {"stdout": "stderr", "stderr": "stdout"}[stream]
    lines = f"[print('line', number, file=sys.{stream}, flush=True) for number in range(9)]"
    code = f"import sys; {lines}; print('done', file=sys.{other})"
    reader, writer = os.pipe()
    os.close(reader)
    out, error = (writer, subprocess.PIPE) if stream == "stdout" else (subprocess.PIPE, writer)
    with subprocess.Popen([sys.executable, "-c", PRINT + code], stdout=out, stderr=error) as process:
        os.close(writer)
        printed = process.communicate()
    assert (process.returncode, printed) == (0, (None, b"done\n") if stream == "stdout" else (b"done\n", None))


def test_a_command_whose_reader_takes_one_line_ends_well() -> None:
    with subprocess.Popen([*COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"Usage:")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_output_that_a_full_disk_does_not_take_is_an_error_in_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run([*COMMAND, "--help"], stdout=full, stderr=subprocess.PIPE, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(b"error: ")
    assert done.stderr.endswith(b"No space left on device\n")
    assert done.stderr.count(b"\n") == 1
