"""The command line as a contract: exit codes, one line for a mistake, nothing written, one JSON object."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from rehabmotion import __version__
from rehabmotion.app import cli
from rehabmotion.errors import UserError

Call = Callable[..., Any]
Raising = Callable[[BaseException], Callable[..., None]]
COMMANDS = ("generate", "convert", "show", "data", "data list", "data check", "data prepare", "train", "models")


def test_help_names_every_command(call: Call) -> None:
    result = call("--help")
    assert result.code == 0
    assert result.err == ""
    assert all(f"\n  {name}" in result.out for name in ("generate", "convert", "show", "data", "train", "models"))
    assert "Not a medical device" in " ".join(result.out.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(call: Call, command: str) -> None:
    result = call(*command.split(), "--help")
    assert result.code == 0
    assert result.out.startswith(f"Usage: rehabmotion {command}")


def test_the_options_of_generate_are_the_contract(call: Call) -> None:
    text = call("generate", "--help").out
    for option in "score seconds samples seed model guidance steps format out json".split():  # noqa: SIM905
        assert f"--{option}" in text


def test_the_options_of_train_are_the_contract(call: Call) -> None:
    text = call("train", "--help").out
    for option in "model data out size steps init seed resume".split():  # noqa: SIM905
        assert f"--{option}" in text


def test_the_version_is_printed(call: Call) -> None:
    assert call("--version") == (0, f"{__version__}\n", "")


def test_no_command_shows_the_help(call: Call) -> None:
    result = call()
    assert "Usage: rehabmotion" in result.out + result.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["frobnicate"], "frobnicate"),
        (["data", "frobnicate"], "frobnicate"),
        (["generate"], "See: rehabmotion generate --help"),
        (["generate", "a squat"], "--out"),
        (["generate", "a squat", "--bogus", "1"], "--bogus"),
        (["generate", "a squat", "--out", "x", "--samples", "two"], "--samples"),
        (["generate", "a squat", "--out", "x", "--samples", "1.5"], "--samples"),
        (["generate", "a squat", "--out", "x", "--seconds", "2s"], "--seconds"),
        (["generate", "a squat", "--out", "x", "surplus"], "surplus"),
        (["convert", "a.npz"], "OUT"),
        (["show"], "MOTION"),
        (["train"], "--out"),
        (["train", "--out", "x", "--data", "simulator", "--seed", "-1"], "--seed"),
        (["models", "--bogus"], "--bogus"),
    ],
)
def test_wrong_usage_is_one_line(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    """Typer moved the classes of its errors; the command then ended in a traceback and exit 1."""
    monkeypatch.chdir(tmp_path)
    assert call(*arguments).is_mistake(says)
    assert list(tmp_path.iterdir()) == []


def test_a_mistake_of_many_lines_is_told_in_one(call: Call, monkeypatch: pytest.MonkeyPatch, raising: Raising) -> None:
    monkeypatch.setattr(cli, "_print_models", raising(UserError("Expected this,\n  got\tthat.")))
    assert call("models") == (2, "", "error: Expected this, got that.\n")


def test_a_full_disk_is_no_bug_of_ours(call: Call, monkeypatch: pytest.MonkeyPatch, raising: Raising) -> None:
    monkeypatch.setattr(cli, "_print_models", raising(OSError(28, "No space left on device", "x.npz")))
    assert call("models") == (2, "", "error: x.npz: No space left on device.\n")


def test_a_bug_of_ours_is_not_called_a_mistake(call: Call, monkeypatch: pytest.MonkeyPatch, raising: Raising) -> None:
    monkeypatch.setattr(cli, "_print_models", raising(ZeroDivisionError("ours")))
    with pytest.raises(ZeroDivisionError):
        call("models")


def test_ctrl_c_ends_with_one_line(call: Call, monkeypatch: pytest.MonkeyPatch, raising: Raising) -> None:
    monkeypatch.setattr(cli, "_print_models", raising(KeyboardInterrupt()))
    result = call("models")
    assert (result.code, result.out, result.err.strip()) == (130, "", "error: stopped")


def command(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with more settings in its environment."""
    whole = [sys.executable, "-m", "rehabmotion.app.cli", *map(str, arguments)]
    return subprocess.run(whole, capture_output=True, text=True, timeout=120, env={**os.environ, **settings})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code"), [(["--help"], 0), (["models"], 0), (["frobnicate"], 2), (["convert", "no.bvh", "x.npz"], 2)]
)
def test_real_exit_codes(arguments: list[str], code: int) -> None:
    done = command(*arguments)
    assert done.returncode == code
    assert done.stderr.count("\n") == (1 if code else done.stderr.count("\n"))
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_bug_exits_with_1() -> None:
    code = "import sys; from rehabmotion.app import cli; cli._print_models = 1; sys.argv = ['x', 'models']; cli.main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_in_another_process(tiny: Path, tmp_path: Path) -> None:
    done = [command("generate", "a squat", "--model", tiny, "--out", tmp_path / name, "--json") for name in "ab"]
    assert [d.returncode for d in done] == [0, 0]
    assert done[0].stdout.count("\n") == 1
    for file in ("0000.npz", "player.html"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


@pytest.mark.slow
def test_a_console_without_the_letters_does_not_end_the_command(tiny: Path, tmp_path: Path) -> None:
    done = command("generate", "a squat", "--model", tiny, "--out", tmp_path / "Übung", PYTHONIOENCODING="ascii")
    assert done.returncode == 0
    assert (tmp_path / "Übung" / "0000.npz").is_file()


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals to another process are another matter on Windows")
def test_ctrl_c_in_the_middle_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "many"
    options = ["--model", str(tiny), "--out", str(out), "--samples", "1000", "--steps", "1000"]
    whole = [sys.executable, "-m", "rehabmotion.app.cli", "generate", "a squat", *options]
    # a shell's background job ignores Ctrl-C, and so would what it starts
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    process = subprocess.Popen(whole, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=heard)
    until = time.monotonic() + 60
    while not list(tmp_path.iterdir()) and time.monotonic() < until:  # its hidden folder shows that it is at work
        time.sleep(0.1)
    time.sleep(0.5)
    stdout, stderr = "", ""
    for _ in range(6):  # pressed while a library loads it may be lost there; people press again
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            stdout, stderr = process.communicate(timeout=10)
            break
    assert process.returncode == 130
    assert (stdout, stderr.strip()) == ("", "error: stopped")
    assert list(tmp_path.iterdir()) == []
