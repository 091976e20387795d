"""The commands of a fresh machine: install once, only what is missing, and say in one line what they need."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"
COMMANDS = ("demo", "test", "check", "pin")


def load() -> Any:
    """scripts/_env.py as a module of its own."""
    spec = importlib.util.spec_from_file_location("_env", SCRIPTS / "_env.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """scripts/_env.py on a made repository, where making an environment and pip only write down that they ran."""
    module = load()
    (tmp_path / "pyproject.toml").write_text('[build-system]\nrequires = ["builder>=1"]\n', encoding="utf-8")
    (tmp_path / "constraints.txt").write_text("builder==1.0\n", encoding="utf-8")
    module.calls = []

    def make_venv(venv: Path) -> None:
        module.calls.append("venv")
        module.python_of(venv).parent.mkdir(parents=True, exist_ok=True)
        module.python_of(venv).touch()
        (venv / module.STAMP).unlink(missing_ok=True)

    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "make_venv", make_venv)
    monkeypatch.setattr(module, "pip", lambda python, *arguments: module.calls.append(arguments[-1]))
    return module


def prepare(env: Any, *extras: str) -> list[str]:
    """Prepare and return what was done, the repository's path written as '.'."""
    env.calls.clear()
    python = env.prepare(*extras, venv=env.ROOT / "venv")
    assert python == env.python_of(env.ROOT / "venv")
    return [call.replace(str(env.ROOT), ".") for call in env.calls]


def test_the_first_run_installs_and_the_second_does_nothing(env: Any) -> None:
    assert prepare(env) == ["venv", "editables", "."]
    assert prepare(env) == []


def test_an_extra_is_added_to_the_same_environment_once(env: Any) -> None:
    prepare(env)
    assert prepare(env, "dev") == ["editables", ".[dev]"]
    assert prepare(env, "dev") == []
    assert prepare(env) == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_changed_requirements_or_pins_remake_the_environment(env: Any, name: str) -> None:
    prepare(env)
    with (env.ROOT / name).open("a", encoding="utf-8") as stream:
        stream.write("# changed\n")
    assert prepare(env) == ["venv", "editables", "."]
    assert prepare(env) == []


def test_another_python_remakes_the_environment(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(env)
    monkeypatch.setattr(sys, "version", "3.14.0 (made)")
    assert prepare(env) == ["venv", "editables", "."]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"pins": 1}'])
def test_a_broken_stamp_remakes_the_environment(env: Any, text: str) -> None:
    prepare(env)
    (env.ROOT / "venv" / env.STAMP).write_text(text, encoding="utf-8")
    assert prepare(env) == ["venv", "editables", "."]


def test_an_interrupted_installation_is_not_taken_for_a_whole_one(env: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(python: Path, *arguments: str) -> None:
        raise SystemExit(2)

    with monkeypatch.context() as patch:
        patch.setattr(env, "pip", interrupted)
        with pytest.raises(SystemExit):
            env.prepare(venv=env.ROOT / "venv")
    assert prepare(env) == ["venv", "editables", "."]


def test_pip_failing_ends_with_a_remedy(capfd: pytest.CaptureFixture[str]) -> None:
    module = load()
    with pytest.raises(SystemExit) as left:
        module.pip(Path(sys.executable), "--no-index", "no-such-package-here")
    assert left.value.code == 2
    assert "Check the network" in capfd.readouterr().err.splitlines()[-1]


def run_as(command: str, setup: str) -> subprocess.CompletedProcess[str]:
    """Run a script as __main__ after some lines of Python."""
    code = f"import runpy, sys\n{setup}\nsys.path.insert(0, {str(SCRIPTS)!r})\n"
    code += f"runpy.run_path({str(SCRIPTS / command)!r}, run_name='__main__')"
    return subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_older_python_is_refused_in_one_line(command: str) -> None:
    result = run_as(command, "sys.version_info, sys.version = (3, 10, 4, 'final', 0), '3.10.4 (made)'")
    assert result.returncode == 2
    assert result.stderr == "Expected Python 3.11 or newer, got 3.10.4. Run it with a newer python3.\n"
    assert result.stdout == ""


def test_a_python_without_ensurepip_is_told_the_package(tmp_path: Path) -> None:
    """Debian's python3 has no ensurepip until python3-venv is installed."""
    setup = f"import pathlib\nsys.modules['ensurepip'] = None\nsys.path.insert(0, {str(SCRIPTS)!r})\nimport _env\n"
    setup += f"_env.VENV = pathlib.Path({str(tmp_path / 'venv')!r})\n_env.prepare.__kwdefaults__['venv'] = _env.VENV"
    result = run_as("demo", setup)
    assert result.returncode == 2
    assert len(result.stderr.splitlines()) == 1
    assert f"apt-get install python{sys.version_info[0]}.{sys.version_info[1]}-venv" in result.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize("name", [*COMMANDS, "_env.py"])
def test_the_scripts_need_nothing_but_the_standard_library(name: str) -> None:
    tree = ast.parse((SCRIPTS / name).read_text(encoding="utf-8"))
    names = {a.name for node in ast.walk(tree) if isinstance(node, ast.Import) for a in node.names}
    names |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.split(".")[0] for name in names} <= set(sys.stdlib_module_names) | {"_env"}


@pytest.mark.skipif(os.name == "nt", reason="Windows has no execute bit: python scripts/demo")
@pytest.mark.parametrize("name", COMMANDS)
def test_the_scripts_can_be_called_by_name(name: str) -> None:
    assert os.access(SCRIPTS / name, os.X_OK)
    assert (SCRIPTS / name).read_text(encoding="utf-8").startswith("#!/usr/bin/env python3\n")


def test_the_stamp_names_what_is_installed(env: Any) -> None:
    prepare(env, "dev")
    stamp = json.loads((env.ROOT / "venv" / env.STAMP).read_text(encoding="utf-8"))
    assert stamp["extras"] == ["dev"]


def test_every_direct_requirement_is_pinned() -> None:
    """A requirement added to pyproject.toml without `scripts/pin` would float."""
    root = SCRIPTS.parent
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = project["dependencies"] + [line for extra in project["optional-dependencies"].values() for line in extra]
    wanted = {re.split(r"[^\w.-]", line)[0].lower() for line in lines} - {project["name"]}
    text = (root / "constraints.txt").read_text(encoding="utf-8")
    pinned = {line.split("==")[0].lower() for line in text.splitlines() if "==" in line}
    assert wanted <= pinned
    assert "torch==2.13.0" in text.splitlines()
