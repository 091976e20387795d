"""The command `rehabmotion`. Exit 0 done, 2 the user's mistake in one line, 1 our bug."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import click
import typer

from rehabmotion.app.console import fail, progress_bar, say
from rehabmotion.errors import UserError

app = typer.Typer(
    name="rehabmotion",
    help="Rehabilitation motion: words and a score in, exercise motion out. Not a medical device.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
data_app = typer.Typer(
    help="What corpora are present, whether they are whole, their prepared copies.", no_args_is_help=True
)
models_app = typer.Typer(help="Shipped and local models with their cards.")
app.add_typer(data_app, name="data")
app.add_typer(models_app, name="models")

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of data; default: REHABMOTION_DATA.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.command()
def generate(
    text: Annotated[str, typer.Argument(help="What the person does, in your own words.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made if missing.")],
    score: Annotated[str | None, typer.Option(help="How well: SCALE:VALUE, such as fms:2 or uiprmd:1.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Duration, 1 to 10; default: as people take.")] = None,
    samples: Annotated[int, typer.Option(help="How many motions.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same motions.")] = 0,
    model: Annotated[str, typer.Option(help="A shipped model's name or a run folder.")] = "open",
    guidance: Annotated[
        float | None, typer.Option(help="How strictly to follow the words; default: the model's.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; default: the model's.")] = None,
    formats: Annotated[str, typer.Option("--format", help="npz,html,bvh,mp4,csv")] = "npz,html",
    as_json: Json = False,
) -> None:
    """Generate motions from words and a score."""
    from rehabmotion.workflows.generate_files import generate_files

    result = generate_files(text, out, score, seconds, samples, seed, model, guidance, steps, formats.split(","))
    for warning in result["warnings"]:
        say(f"warning: {warning}")
    if as_json:
        print(json.dumps(result))
    else:
        for file in result["files"]:
            print(file)


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(metavar="IN")],
    target: Annotated[Path, typer.Argument(metavar="OUT")],
    source_format: Annotated[str | None, typer.Option("--from", help="Where the extension does not tell.")] = None,
) -> None:
    """Convert a motion file into another format, by extension."""
    from rehabmotion.workflows.convert import convert as run

    for file in run(source, target, source_format, say):
        print(file)


@app.command()
def show(
    motions: Annotated[list[Path], typer.Argument(metavar="MOTION...")],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("motion.html"),
) -> None:
    """Write one page that plays motions side by side."""
    from rehabmotion.workflows.show import show as run

    print(run(motions, out))


@data_app.command("list")
def data_list(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List the corpora and whether they are present."""
    from rehabmotion.workflows.data import list_corpora

    _print_states(list_corpora(data_dir), as_json)


@data_app.command("check")
def data_check(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CORPUS]...")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Read the corpora whole and say what is in them, or what is wrong."""
    from rehabmotion.workflows.data import check_corpora

    states = check_corpora(data_dir, tuple(names or ()))
    _print_states(states, as_json)
    if any(state.state in ("damaged", "incomplete") for state in states):
        raise typer.Exit(2)


@data_app.command("prepare")
def data_prepare(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CORPUS]...")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Prepare corpora into the cache folder: 22 joints, constant bones, 30 fps, 6 Hz."""
    from rehabmotion.workflows.data import prepare_corpora

    _print_states(prepare_corpora(tuple(names or ()), data_dir, say), as_json)


def _print_states(states: list, as_json: bool) -> None:  # type: ignore[type-arg]  # CorpusState, known to workflows
    if as_json:
        print(json.dumps({"corpora": [vars(state) for state in states]}))
        return
    for state in states:
        print(f"{state.name:13} {state.state:10} {state.terms:14} {state.title}; {state.detail}")


@app.command()
def train(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    data: Annotated[str, typer.Option("--data", help="CORPUS[,CORPUS]: fits on :train, validates on :val.")],
    model: Annotated[str, typer.Option("--model", help="Model family: diffusion.")] = "diffusion",
    size: Annotated[str, typer.Option(help="smoke, small, base or paper.")] = "small",
    steps: Annotated[int | None, typer.Option(help="Training steps; default: the size's.")] = None,
    init: Annotated[str | None, typer.Option(help="Fine-tune this run or model.")] = None,
    seed: Annotated[int, typer.Option()] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    precision: Annotated[str, typer.Option(help="no or bf16.")] = "no",
    data_dir: DataDir = None,
) -> None:
    """Train a model on corpora."""
    from rehabmotion.workflows.train import train_model

    with progress_bar("training") as bar:
        task = bar.add_task("", total=None, note="", visible=False)

        def progress(done: int, total: int, losses: dict[str, float]) -> None:
            bar.update(task, completed=done, total=total, note=f"loss {losses['total']:.3f}", visible=True)

        names = [name.strip() for name in data.split(",") if name.strip()]
        run = train_model(model, names, out, size, steps, init, seed, resume, data_dir, precision, say, progress)
    print(run)


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: Json = False) -> None:
    """List the models with their cards."""
    if context.invoked_subcommand is None:
        models_list(as_json)


@models_app.command("list")
def models_list(as_json: Json = False) -> None:
    """List shipped and local models (./runs/*) with their cards."""
    from rehabmotion.workflows.models import list_models

    entries = list_models()
    if as_json:
        rows = [{**vars(entry), "folder": str(entry.folder)} for entry in entries]
        print(json.dumps({"models": rows}))
        return
    for entry in entries:
        where = "shipped" if entry.shipped else "local"
        print(
            f"{entry.name} ({where}, {entry.folder})\n  data: {', '.join(entry.corpora)}; scales: {', '.join(entry.scales)}"
        )
        print("".join(f"  | {line}\n" for line in entry.card.splitlines()))


def main() -> None:
    """Run the command and turn errors into exit codes."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Return the exit code of the command with these arguments."""
    try:
        result = typer.main.get_command(app).main(args=arguments, prog_name="rehabmotion", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except UserError as error:
        fail(str(error))
        return 2
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return 2
    except click.ClickException as error:
        fail(f"{error.format_message()} See: rehabmotion --help")
        return 2
    except (KeyboardInterrupt, click.Abort):
        fail("stopped")
        return 130


if __name__ == "__main__":
    main()
