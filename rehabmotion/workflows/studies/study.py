"""What every study does: check its settings, run or go on, write its Markdown, JSON and charts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from rehabmotion.data.corpora import corpus, data_folder, missing_parts
from rehabmotion.errors import UserError
from rehabmotion.files import write_atomic
from rehabmotion.workflows.outputs import check_new

Say = Callable[[str], None]
Report = Callable[[int, int, str], None]  # how far, of how much, what is done now
Figures = dict[str, str]  # file name -> SVG


class Study(Protocol):
    """A module of this room: TITLE, SIZES, run and markdown."""

    TITLE: str
    SIZES: Any

    def run(
        self, size: str, out: Path, data_dir: Path | None, say: Say, progress: Report
    ) -> tuple[dict[str, Any], Figures]:
        """Return the study's result, JSON-ready, and its charts."""

    def markdown(self, result: dict[str, Any]) -> str:
        """Return the result as tables."""


def is_present(name: str, data_dir: Path | None) -> bool:
    """Return whether a corpus is there, whole or made on the fly. A data folder that is not there is refused."""
    base = data_folder(data_dir)
    return corpus(name).folder is None or (base is not None and not missing_parts(name, base))


def kept(path: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what a file keeps; made and written first where it is not there yet."""
    if not path.exists():
        write_atomic(path, json.dumps(make(), indent=1) + "\n")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def spelled(figure: dict[str, Any]) -> str:
    """Return a figure of `evaluate` with its interval, for a table."""
    if figure["value"] is None:
        return "refused"
    ends = figure["ci"]
    return f"{figure['value']:.3g}" + (f" [{ends[0]:.3g}, {ends[1]:.3g}]" if ends else "")


def run_study(
    name: str,
    study: Study,
    size: str,
    out: Path,
    data_dir: Path | None = None,
    say: Say = lambda _: None,
    progress: Report = lambda *_: None,
) -> tuple[dict[str, Any], list[Path]]:
    """Return a study's result and the files written into `out`: NAME.json, NAME.md and figures/*.svg.

    A stopped study goes on where it was; a folder that holds another study, or this one in another size, is refused.
    """
    if size not in study.SIZES:
        raise UserError(f'Expected a size of {", ".join(study.SIZES)}, got "{size}".')
    _claim(out, {"study": name, "size": size})
    body, figures = study.run(size, out, data_dir, say, progress)
    result = {"study": name, "size": size, "command": f"rehabmotion study {name} --size {size}", **body}
    files = {out / f"{name}.json": json.dumps(result, indent=1, allow_nan=False) + "\n"}
    files[out / f"{name}.md"] = _page(study, result, figures)
    files |= {out / "figures" / file: svg for file, svg in figures.items()}
    for path, text in files.items():
        write_atomic(path, text)
    return result, list(files)


def _claim(out: Path, what: dict[str, str]) -> None:
    path = out / "study.json"
    if path.exists():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UserError(f"{path}: Expected the settings of a study, could not read them ({error}).") from None
        if before != what:
            raise UserError(f"Expected a folder for {what}, {out} holds {before}. Choose another --out.")
        return
    check_new(out)
    write_atomic(path, json.dumps(what) + "\n")


def _page(study: Study, result: dict[str, Any], figures: Figures) -> str:
    head = [f"# {study.TITLE}", "", f"`{result['command']} --out DIR`", ""]
    head += [f"- cut: {line}" for line in result.get("cut", [])]
    if result.get("absent"):
        head.append(f"- left out, data absent: {', '.join(result['absent'])}")
    charts = [f"![{name[:-4]}](figures/{name})" for name in figures]
    return "\n".join([*head, "", study.markdown(result), *charts]).rstrip() + "\n"
