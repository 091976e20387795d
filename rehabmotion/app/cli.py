"""The command `rehabmotion`. Exit 0 done, 2 the user's mistake in one line, 1 our bug."""

from __future__ import annotations

import errno
import json
import sys
import warnings
from pathlib import Path
from typing import Annotated, Any

import typer

from rehabmotion import __version__
from rehabmotion.app.console import fail, progress, say
from rehabmotion.errors import UserError

app = typer.Typer(
    name="rehabmotion",
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

MAX_SEED = 2**63 - 1
STOPPED = 130  # what shells give a command ended by Ctrl-C
# of the machine, not of ours: no room, no permission, a name that cannot be
MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ENOTDIR}

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="Folder of data; default: REHABMOTION_DATA.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on standard output.")]


@app.command()
def generate(
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made if missing.")],
    text: Annotated[
        str | None, typer.Argument(metavar="[TEXT]", help="What the person does, in your own words.")
    ] = None,
    timeline: Annotated[
        Path | None, typer.Option("--timeline", help="In place of TEXT: a plan of several exercises, YAML.")
    ] = None,
    score: Annotated[str | None, typer.Option(help="How well: SCALE:VALUE, such as fms:2 or uiprmd:1.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Duration, 1 to 10; default: as people take.")] = None,
    samples: Annotated[int, typer.Option(help="How many motions.")] = 1,
    seed: Annotated[int, typer.Option(help="The same seed gives the same motions.")] = 0,
    model: Annotated[str, typer.Option(help="A shipped model's name or a run folder.")] = "open",
    guidance: Annotated[
        float | None, typer.Option(help="How strictly to follow the words; default: the model's.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Sampling steps; default: the model's.")] = None,
    formats: Annotated[str, typer.Option("--format", help="npz,html,bvh,mp4,csv,glb,obj")] = "npz,html",
    raw: Annotated[bool, typer.Option("--raw", help="As the model painted it, not cleaned up.")] = False,
    as_json: Json = False,
) -> None:
    """Generate motions from words and a score, or from a plan of several exercises."""
    how = (samples, seed, model, guidance, steps, formats.split(","))
    if timeline is not None:
        from rehabmotion.workflows.timeline.files import generate_plan_files

        if text is not None:
            raise UserError("Expected TEXT or --timeline, got both. Leave one out.")
        if score is not None or seconds is not None:
            raise UserError("Expected neither --score nor --seconds with --timeline: they stand in the plan.")
        if raw:
            raise UserError("Expected no --raw with --timeline: its parts are cleaned up. Leave it out.")
        result = generate_plan_files(timeline, out, *how)
    else:
        from rehabmotion.workflows.generate_files import generate_files

        if text is None:
            raise UserError("Expected TEXT or --timeline, got neither. For example: 'a person performs a deep squat'.")
        result = generate_files(text, out, score, seconds, *how, raw)
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
    smpl: Annotated[
        Path | None, typer.Option("--smpl", help="SMPL model, file or folder; OUT ends in .smpl.npz or .obj.")
    ] = None,
) -> None:
    """Convert a motion file into another format, by extension: .npz .bvh .csv .trc .c3d .npy .html .mp4 .glb .obj."""
    from rehabmotion.workflows.convert import convert as run
    from rehabmotion.workflows.smpl import convert_to_smpl

    how = (source_format, say)
    for file in run(source, target, *how) if smpl is None else convert_to_smpl(source, target, smpl, *how):
        print(file)


@app.command()
def repair(
    source: Annotated[Path, typer.Argument(metavar="IN")],
    target: Annotated[Path, typer.Argument(metavar="OUT")],
    source_format: Annotated[str | None, typer.Option("--from", help="Where the extension does not tell.")] = None,
    model: Annotated[str, typer.Option(help="A shipped model's name or a run folder.")] = "open",
    as_json: Json = False,
) -> None:
    """Fill missing joints of a captured motion and take its jitter away; measured joints move 30 mm at most."""
    from rehabmotion.workflows.repair import repair as run
    from rehabmotion.workflows.repair import summary

    result = run(source, target, source_format, model)
    if as_json:
        print(json.dumps(result))
        return
    for line in summary(result["motions"]):
        print(line)


@app.command()
def capture(
    source: Annotated[str, typer.Argument(metavar="VIDEO|FOLDER|webcam:N", help="A folder of images is one clip.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files; made if missing.")],
    height: Annotated[float | None, typer.Option("--height", help="Of the person, metres.")] = None,
    fov: Annotated[float | None, typer.Option("--fov", help="Horizontal field of view of the camera, degrees.")] = None,
    person: Annotated[str, typer.Option(help="largest, or a number: by first appearance, left to right.")] = "largest",
    osim: Annotated[str, typer.Option("--osim", help="An .osim file, or rehab37.")] = "rehab37",
    detector: Annotated[str, typer.Option(help="mediapipe, or rtmpose:FILE.onnx")] = "mediapipe",
    keypoints: Annotated[
        Path | None, typer.Option("--keypoints", help="2D points in place of a detector's: OpenPose folder, CSV.")
    ] = None,
    ray: Annotated[str | None, typer.Option("--ray", help="Many videos: a Ray cluster, auto or its address.")] = None,
    lifter: Annotated[str, typer.Option(help="A shipped lifter's name or a run folder.")] = "lifter",
    as_json: Json = False,
) -> None:
    """Find the 3D movement of a person in an ordinary video: OpenSim model and angles, motion, overlay, report."""
    from rehabmotion.workflows.capture.batch import capture as captured
    from rehabmotion.workflows.capture.run import CaptureConfig

    config = CaptureConfig(height, fov, person, osim, detector, keypoints, lifter)
    with progress("frames") as report:

        def told(done: int, total: int | None) -> None:
            if total:
                report(min(done, total), total, "looked at")

        result = captured(source, out, config, ray, say, told)
    if as_json:
        print(json.dumps(result))
        return
    for each in result["captured"]:
        for warning in each["warnings"]:
            say(f"warning: {each['name']}: {warning}")
        for file in each["files"]:
            print(file)


@app.command()
def fk(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="An .osim file, or rehab37.")],
    coordinates: Annotated[Path, typer.Argument(metavar="COORDINATES", help="Its coordinates, .mot or .sto.")],
    out: Annotated[Path, typer.Option("--out", help="FILE.csv: bodies; FILE.trc: markers.")],
) -> None:
    """Say where an OpenSim model's bodies or markers stand for coordinates over time."""
    from rehabmotion.workflows.fk import forward_kinematics

    print(forward_kinematics(model, coordinates, out))


@app.command()
def ik(
    motion: Annotated[Path, typer.Argument(metavar="MOTION", help="Markers, .trc or .c3d, or joints, .npz or .bvh.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the scaled model, coordinates, errors, report.")],
    osim: Annotated[str, typer.Option("--osim", help="An .osim file, or rehab37.")] = "rehab37",
    height: Annotated[float | None, typer.Option("--height", help="Of the person, metres.")] = None,
    tasks: Annotated[Path | None, typer.Option("--tasks", help="OpenSim's IK_Setup.xml: marker weights.")] = None,
    scale: Annotated[bool, typer.Option(help="Fit the model's size; --no-scale: it is this person's.")] = True,
    as_json: Json = False,
) -> None:
    """Find the joint angles of a recorded person: an OpenSim model scaled to them, and its coordinates."""
    from rehabmotion.workflows.ik import inverse_kinematics_files

    result = inverse_kinematics_files(motion, out, osim, height, tasks, scale)
    for note in result["notes"]:
        say(f"note: {note}")
    if as_json:
        print(json.dumps(result))
        return
    errors = result["rms_mm"]
    say(f"{result['frames']} frames, rms marker error {errors['median']:g} mm (median) to {errors['max']:g} mm")
    for file in result["files"]:
        print(file)


@app.command()
def angles(
    motion: Annotated[Path, typer.Argument(metavar="MOTION", help="Markers, .trc or .c3d, or joints, .npz or .bvh.")],
    out: Annotated[Path | None, typer.Option("--out", help="Folder for a table over time and a plot.")] = None,
    as_json: Json = False,
) -> None:
    """Tell joint angles, ranges of motion and left-right symmetry: OpenSim's coordinates and ISB's angles."""
    from rehabmotion.workflows.angles import joint_angles

    result = joint_angles(motion, out)
    if as_json:
        print(json.dumps(result))
        return
    for name, found in result["range_deg"].items():
        print(f"{name:36} {found['low']:8.1f} to {found['high']:7.1f}, range {found['range']:6.1f} degrees")
    for name, index in result["symmetry_percent"].items():
        if index is not None:
            print(f"{name:36} right - left {index:+7.1f} % of their mean range")
    for file in result["files"]:
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

    states = check_corpora(data_dir, names or ())
    _print_states(states, as_json)
    wrong = [state.name for state in states if state.state in ("damaged", "incomplete")]
    if wrong:
        raise UserError(f"Expected whole corpora, got {len(wrong)} damaged or incomplete: {', '.join(wrong)}.")


@data_app.command("prepare")
def data_prepare(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CORPUS]...")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Prepare corpora into the cache folder: 22 joints, constant bones, 30 fps, 6 Hz."""
    from rehabmotion.workflows.data import prepare_corpora

    _print_states(prepare_corpora(names or (), data_dir, say), as_json)


def _print_states(states: list[Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps({"corpora": [vars(state) for state in states]}))
        return
    for state in states:
        print(f"{state.name:13} {state.state:10} {state.terms:14} {state.title}; {state.detail}")


@app.command()
def evaluate(
    real: Annotated[str, typer.Option("--real", help="Folder of .npz motions, or CORPUS[:split].")],
    generated: Annotated[str, typer.Option("--generated", help="Folder of .npz motions, a model's name or a run.")],
    trained_on: Annotated[
        str | None, typer.Option("--train", help="What the generator saw; default: by its card, else CORPUS:train.")
    ] = None,
    n: Annotated[int | None, typer.Option("--n", help="Motions to judge; default: one for each real clip.")] = None,
    metrics: Annotated[str | None, typer.Option("--metrics", help="NAME[,NAME]; default: all.")] = None,
    repeats: Annotated[int, typer.Option(help="Of what is sampled: pools, pairs, parts.")] = 20,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED)] = 0,
    out: Annotated[Path | None, typer.Option("--out", help="Folder for report.html, .json and .md.")] = None,
    evaluator: Annotated[str, typer.Option(help="A shipped evaluator's name or a run folder.")] = "evaluator",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Judge generated motions beside real ones: every number with its interval and its real value."""
    from rehabmotion.workflows.evaluation.report import evaluate as run
    from rehabmotion.workflows.evaluation.report import json_text, markdown
    from rehabmotion.workflows.evaluation.suite import Asked

    asked = Asked(real, generated, trained_on, n, _listed(metrics or ""), repeats, seed, evaluator)
    with progress("evaluating") as step:
        report, files = run(asked, out, data_dir, say, step)
    if as_json:
        print(json_text(report), end="")
        return
    print(markdown(report), end="")
    for file in files:
        print(file)


@app.command()
def study(
    name: Annotated[str, typer.Argument(metavar="NAME", help="fitness, families, kinematics, robustness or utility.")],
    out: Annotated[Path, typer.Option("--out", help="Folder; a stopped study goes on in it.")],
    size: Annotated[str, typer.Option(help="smoke or full.")] = "full",
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Run a study: what is compared, on what, with tables, figures and intervals."""
    from rehabmotion.workflows.studies.study import run_study
    from rehabmotion.workflows.studies.table import study as named

    with progress(f"study {name}") as step:
        result, files = run_study(name, named(name), size, out, data_dir, say, step)
    for line in result["cut"]:
        say(f"cut: {line}")
    if as_json:
        print(json.dumps(result))
        return
    for file in files:
        print(file)


@app.command()
def train(
    out: Annotated[Path, typer.Option("--out", help="Run folder.")],
    data: Annotated[str, typer.Option("--data", help="CORPUS[,CORPUS]: fits on :train, validates on :val.")],
    model: Annotated[
        str, typer.Option("--model", help="diffusion, flow, vae or gan; evaluator or evaluator-gru.")
    ] = "diffusion",
    size: Annotated[str, typer.Option(help="smoke, small, base or paper.")] = "small",
    steps: Annotated[int | None, typer.Option(help="Training steps; default: the size's.")] = None,
    init: Annotated[str | None, typer.Option(help="Fine-tune this run or model.")] = None,
    seed: Annotated[int, typer.Option(min=0, max=MAX_SEED)] = 0,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    save_every: Annotated[int | None, typer.Option(help="Steps between two checkpoints; default: 500.")] = None,
    precision: Annotated[str, typer.Option(help="no or bf16.")] = "no",
    accumulate: Annotated[int, typer.Option(help="Batches added up in a step: for large ones in little memory.")] = 1,
    text_encoder: Annotated[
        str, typer.Option(help="ngram; or clip:MODEL, sentence-transformers:MODEL of your hub.")
    ] = "ngram",
    data_dir: DataDir = None,
) -> None:
    """Train a model on corpora."""
    from rehabmotion.workflows.train import train_model
    from rehabmotion.workflows.train_evaluator import FAMILIES, train_evaluator

    names = _listed(data)
    with progress("training") as report:

        def step(done: int, total: int, losses: dict[str, float]) -> None:
            report(done, total, f"loss {losses['total']:.3f}")

        if model in FAMILIES:
            if init is not None or text_encoder != "ngram":
                raise UserError("Expected neither --init nor --text-encoder with an evaluator: it has none.")
            how = (size, steps, seed, resume, data_dir, precision, say, step)
            run = train_evaluator(names, out, *how, FAMILIES[model], save_every, accumulate)
        else:
            start = (size, steps, init, seed, resume, data_dir, precision, text_encoder, say, step)
            run = train_model(model, names, out, *start, save_every, accumulate)
    print(run)


def _listed(text: str) -> tuple[str, ...]:
    """Return the names of a comma-separated list, each once."""
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


@models_app.callback(invoke_without_command=True)
def models(context: typer.Context, as_json: Json = False) -> None:
    """List the models with their cards."""
    if context.invoked_subcommand is None:
        _print_models(as_json)
    context.obj = as_json


@models_app.command("list")
def models_list(context: typer.Context, as_json: Json = False) -> None:
    """List shipped and local models (./runs/*) with their cards."""
    _print_models(as_json or bool(context.obj))


@models_app.command("get")
def models_get(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="pose: what finds people in videos.")],
    file: Annotated[
        Path | None, typer.Option("--file", help="In place of fetching it: the model's .task file.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Get a model that another project made into the cache folder."""
    from rehabmotion.workflows.pose_model import get_pose_model

    if name != "pose":
        raise UserError(f'Expected pose, got "{name}". Our own models need no getting: rehabmotion models list')
    path, source = get_pose_model(file, say)
    if as_json or context.obj:
        print(json.dumps({"file": str(path), "source": source}))
    else:
        print(path)


def _print_models(as_json: bool) -> None:
    from rehabmotion.workflows.models import list_models

    entries = list_models()
    if as_json:
        print(json.dumps({"models": [{**vars(entry), "folder": str(entry.folder)} for entry in entries]}))
        return
    if not entries:
        say("No models here. Train one with: rehabmotion train")
    for entry in entries:
        print(f"{entry.name} ({'shipped' if entry.shipped else 'local'}, {entry.folder})")
        print(f"  data: {', '.join(entry.corpora)}; scales: {', '.join(entry.scales)}")
        print("".join(f"  | {line}\n" for line in entry.card.splitlines()))


def _version(asked: bool) -> None:
    if asked:
        print(__version__)
        raise typer.Exit()


@app.callback()
def common(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Rehabilitation motion: words and a score in, exercise motion out. Not a medical device."""


def main() -> None:
    """Run the command and turn errors into exit codes."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # of libraries: they tell their users, not ours
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a console that lacks a letter must not end the command
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Return the exit code of the command with these arguments."""
    try:
        result = typer.main.get_command(app).main(args=arguments, prog_name="rehabmotion", standalone_mode=False)
        code = result if isinstance(result, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except UserError as error:
        return _mistake(str(error))
    except OSError as error:
        if error.errno not in MACHINE:
            raise
        return _mistake(f"{error.filename or 'A file'}: {error.strerror}.")
    except Exception as error:
        return _wrong_usage(error)
    if code == STOPPED:
        fail("stopped")
    return code


def _mistake(text: str) -> int:
    fail(text)
    return 2


def _wrong_usage(error: Exception) -> int:
    """Show what Typer says of the arguments. Its classes for that moved between versions; their method did not."""
    if not hasattr(error, "format_message"):
        raise error
    command = getattr(getattr(error, "ctx", None), "command_path", "rehabmotion")
    if type(error).__name__ == "NoArgsIsHelpError":
        say(error.format_message())
        return 2
    return _mistake(f"{error.format_message().rstrip('.')}. See: {command} --help")


if __name__ == "__main__":
    main()
