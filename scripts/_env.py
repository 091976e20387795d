"""What the scripts share: one virtual environment, made once, filled from constraints.txt. Standard library only."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036  (this is where an older Python is told; the file parses from 3.6 on)
    print(f"Expected Python 3.11 or newer, got {sys.version.split()[0]}. Run it with a newer python3.", file=sys.stderr)
    sys.exit(2)

import hashlib
import json
import os
import subprocess
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv-scripts"  # not .venv: that one may be the reader's own
STAMP = "rehabmotion-stamp.json"

# The networks and clips here are small: one thread beats two, and many threads on few cores wait for each other.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def fail(message: str) -> NoReturn:
    """Say what is wrong in one line and leave with 2."""
    print(message, file=sys.stderr)
    raise SystemExit(2)


def python_of(venv: Path) -> Path:
    """Return the interpreter of a virtual environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare(*extras: str, venv: Path = VENV) -> Path:
    """Return an interpreter that has the package (editable) and these extras, installing only what is missing.

    A stamp in the environment records what was installed from which pins; while they stay the same, nothing is
    installed or downloaded again, and changes of the code need no reinstall.
    """
    python, pins = python_of(venv), fingerprint()
    stamp = read_stamp(venv)
    if stamp.get("pins") != pins or not python.is_file():
        make_venv(venv)
        stamp = {"pins": pins, "extras": None}
    installed = stamp["extras"]
    if installed is not None and set(extras) <= set(installed):
        return python
    wanted = sorted({*extras, *(installed or [])})
    print(f"Installing the pinned packages into {venv.name} (only this once, some minutes) ...", flush=True)
    install(python, wanted)
    (venv / STAMP).write_text(json.dumps({"pins": pins, "extras": wanted}), encoding="utf-8")
    return python


def fingerprint() -> str:
    """Return a hash of all that decides what is installed: the requirements, the pins, the Python, the place."""
    parts = [(ROOT / "pyproject.toml").read_bytes(), (ROOT / "constraints.txt").read_bytes()]
    parts += [sys.version.encode(), sys.base_prefix.encode(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp(venv: Path) -> dict[str, Any]:
    """Return what the last complete installation wrote, or nothing."""
    try:
        stamp = json.loads((venv / STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) and "extras" in stamp else {}


def make_venv(venv: Path) -> None:
    """Make an empty virtual environment, in place of the one there."""
    try:
        import ensurepip  # noqa: F401  (Debian and Ubuntu leave it out of python3)
        import venv as module
    except ImportError:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        fail(
            f"Expected a Python with venv and ensurepip, got {sys.executable} without. "
            f"On Debian or Ubuntu: apt-get install python{version}-venv"
        )
    try:
        module.EnvBuilder(with_pip=True, clear=True, symlinks=os.name != "nt").create(venv)
    except (OSError, subprocess.CalledProcessError) as error:
        fail(f"Expected to make a virtual environment in {venv}, could not ({error}). Is the folder writable?")


def install(python: Path, extras: Sequence[str]) -> None:
    """Install the package, editable, with its extras and the tool that builds it, all at the pinned versions."""
    pip(python, "-c", str(ROOT / "constraints.txt"), *build_requirements())
    target = f"{ROOT}[{','.join(extras)}]" if extras else str(ROOT)
    pip(python, "-c", str(ROOT / "constraints.txt"), "--no-build-isolation", "-e", target)


def build_requirements() -> list[str]:
    """Return what builds the package. Installed beside it, so that a wheel can be built without a network."""
    return [*read_pyproject()["build-system"]["requires"], "editables"]  # editables: hatchling's own need for -e


def read_pyproject() -> dict[str, Any]:
    """Return pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pip(python: Path, *arguments: str) -> None:
    """Run pip install, or leave with its error and a remedy."""
    command = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", *arguments]
    if subprocess.call(command, cwd=ROOT) != 0:
        fail("Expected pip to install the pinned packages, it could not (see above). Check the network and try again.")


def run(python: Path, *arguments: str, env: Mapping[str, str] | None = None) -> int:
    """Run Python in the repository root and return its exit status. Variables already set keep their value."""
    environment = {**(env or {}), **os.environ}
    try:
        return subprocess.call([str(python), *arguments], cwd=ROOT, env=environment)
    except KeyboardInterrupt:
        return 130
