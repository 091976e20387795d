"""Trains a model on corpora and leaves a run folder: configuration, log, checkpoints, weights, card."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rehabmotion import __version__
from rehabmotion.data.corpora import corpus_root, split_name
from rehabmotion.data.prepare import prepared
from rehabmotion.data.samples import Samples, build_samples
from rehabmotion.errors import UserError
from rehabmotion.features import FEATURES
from rehabmotion.files import write_atomic
from rehabmotion.models import MODELS
from rehabmotion.models.conditioning import NetworkConfig
from rehabmotion.models.generator import Generator, new_text_encoder
from rehabmotion.models.store import Provenance, load_model, save_model
from rehabmotion.models.text import TextConfig, TextEncoder
from rehabmotion.models.text_hub import HubTextEncoder
from rehabmotion.motion import EXERCISES, Motion
from rehabmotion.training.batches import BatchMaker
from rehabmotion.training.loop import TrainingConfig, checkpoint_path, train
from rehabmotion.training.prior import fit_prior
from rehabmotion.training.text import train_text_encoder
from rehabmotion.workflows.card import model_card
from rehabmotion.workflows.models import model_folder
from rehabmotion.workflows.outputs import check_new
from rehabmotion.workflows.sizes import Size, size
from rehabmotion.workflows.validation import clip_judge

FINISH = 512  # clips on which a trained model learns how its samples differ from them
Say = Callable[[str], None]
Progress = Callable[[int, int, dict[str, float]], None]


def train_model(
    family: str,
    corpora: Sequence[str],
    out: Path,
    size_name: str = "small",
    steps: int | None = None,
    init: str | None = None,
    seed: int = 0,
    resume: bool = False,
    data_dir: Path | None = None,
    precision: str = "no",
    text_encoder: str = "ngram",
    say: Say = lambda _: None,
    progress: Progress = lambda *_: None,
    save_every: int | None = None,
    accumulate: int = 1,
    keep: Callable[[Motion], bool] | None = None,
) -> Path:
    """Train on NAME:train of each corpus, validate on NAME:val, and return the run folder `out`.

    A run that exists is refused unless `resume`; the settings of a resumed run are those it began with. keep: which
    training clips are used, named in the settings; without, all.
    """
    if family not in MODELS:
        raise UserError(f'Expected a model family, got "{family}". Known: {", ".join(MODELS)}.')
    chosen = size(size_name)
    before, known = load_model(model_folder(init)) if init else (None, None)
    if before is not None and before.kind != family:
        raise UserError(f'Expected --init of the family {family}, "{init}" is {before.kind}: --model {before.kind}.')
    settings = run_settings(corpora, size_name, chosen, steps, init, seed, precision, save_every, accumulate)
    settings |= {"model": family, "text": text_encoder}
    if keep is not None:
        settings["kept"] = keep.__name__
    first, training, held_out = begin_run(corpora, out, settings, resume, data_dir, say)
    training = {name: [clip for clip in clips if keep is None or keep(clip)] for name, clips in training.items()}
    represented = _representation(chosen, before)
    samples = build_samples(training, **represented)
    stopped = resume and checkpoint_path(out).exists()
    model = (
        _fine_tuned(before, samples) if before else new_model(family, samples, chosen, text_encoder, seed, stopped, say)
    )
    config = TrainingConfig(**settings["training"])
    checks = None
    if held_out:
        kept_back = build_samples(held_out, mirrored=False, **represented)
        checks = BatchMaker(kept_back, model.config, own_people=False)
    say(f"training on {len(samples)} clips (mirrored ones counted), {config.steps} steps")
    batches = BatchMaker(samples, model.config, seed, own_people=before is None)
    # the people a fine-tuned model knows are those it was first trained on, under the numbers they had there
    people = known.people if known else _people(samples)
    provenance = _provenance(out.name, training, held_out, samples, people, settings)
    named = [clip for clips in held_out.values() for clip in clips if clip.meta.get("exercise")]
    judge = clip_judge(named, provenance) if first else None
    model = train(model, batches, checks, config, out, resume, progress, judge)
    if first:
        rows = np.random.default_rng(seed).choice(len(samples), min(FINISH, len(samples)), p=samples.weight)
        model.finish(batches.fixed(model, rows, seed))
        save_model(model, provenance, out)
        write_atomic(out / "CARD.md", model_card(model, provenance))
    return out


def begin_run(
    corpora: Sequence[str], out: Path, settings: dict[str, Any], resume: bool, data_dir: Path | None, say: Say
) -> tuple[bool, dict[str, list[Motion]], dict[str, list[Motion]]]:
    """Open the run folder and return whether this process keeps it, and the clips of NAME:train and NAME:val.

    Of the processes that torchrun starts, one keeps the folder. Absent data are told before it is made; corpora that
    hold nobody out are left out of the second.
    """
    for name in corpora:
        corpus_root(name, data_dir)
    first = int(os.environ.get("RANK", "0")) == 0
    if first:
        open_run(out, settings, resume)
    training = read_split(corpora, "train", data_dir, say)
    held_out = {name: clips for name, clips in read_split(corpora, "val", data_dir, say).items() if clips}
    return first, training, held_out


def run_settings(
    corpora: Sequence[str],
    size_name: str,
    chosen: Size,
    steps: int | None,
    init: str | None,
    seed: int,
    precision: str,
    save_every: int | None = None,
    accumulate: int = 1,
) -> dict[str, Any]:
    """Return what a run is begun with; settings that make no run raise UserError."""
    if precision not in ("no", "bf16"):
        raise UserError(f'Expected precision no or bf16, got "{precision}".')
    for what, number in (("step", steps), ("step between two checkpoints", save_every), ("batch a step", accumulate)):
        if number is not None and number < 1:
            raise UserError(f"Expected at least one {what}, got {number}.")
    if not corpora:
        raise UserError("Expected at least one corpus, got none. For example: --data uiprmd,simulator")
    for name in corpora:
        if split_name(name)[1] != "all":
            raise UserError(f'Expected plain corpus names, got "{name}": training takes NAME:train by itself.')
    config = TrainingConfig(
        steps=steps or chosen.steps,
        batch_size=chosen.batch_size,
        learning_rate=chosen.learning_rate * (0.3 if init else 1.0),
        ema=chosen.ema,
        precision=precision,
        seed=seed,
        accumulate=accumulate,
        save_every=save_every or TrainingConfig.save_every,
    )
    return {
        "data": list(corpora),
        "size": size_name,
        "init": init,
        "training": config.as_json(),
        "version": __version__,
    }


def open_run(out: Path, settings: dict[str, Any], resume: bool) -> None:
    """Begin a run folder with its settings, or with `resume` find them there; any other folder raises UserError."""
    path = out / "run.json"
    if path.exists() or (out / "model.safetensors").exists():
        if not resume:
            raise UserError(f"Expected a new run folder, {out} holds a run. Choose another --out, or add --resume.")
        try:
            before = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise UserError(
                f"{path}: Expected the settings of a run to resume, could not read them ({error})."
            ) from None
        if before != settings:
            different = [key for key in settings if before.get(key) != settings[key]]
            raise UserError(f"Expected the settings {out} began with, got another {', '.join(different)}.")
        return
    check_new(out)
    write_atomic(path, json.dumps(settings, indent=1, sort_keys=True) + "\n")


def read_split(corpora: Sequence[str], split: str, data_dir: Path | None, say: Say) -> dict[str, list[Motion]]:
    """Return the prepared clips of a split of each corpus, in the order of the names."""
    return {name: prepared(f"{name}:{split}", data_dir, say) for name in corpora}


def _representation(chosen: Size, before: Generator | None) -> dict[str, Any]:
    """Return how clips are encoded: as the size says, or as the model that is fine-tuned was trained."""
    if before is None:
        return {"n_frames": chosen.n_frames, "features": chosen.features}
    return {"n_frames": before.config.network.n_frames, "features": before.config.features}


def _fine_tuned(model: Generator, samples: Samples) -> Generator:
    """Return the model that is gone on from, with the scales of both; exercises it does not know raise UserError."""
    unknown = set(samples.exercises) - set(model.config.text.exercises)
    if unknown:
        raise UserError(f"Expected exercises that the --init model knows, got {', '.join(sorted(unknown))}.")
    model.config = replace(model.config, scales=tuple(sorted({*model.config.scales, *samples.scales})))
    return model


def new_model(
    family: str,
    samples: Samples,
    chosen: Size,
    text_encoder: str,
    seed: int,
    stopped: bool,
    say: Say,
    text_seed: int | None = None,
) -> Generator:
    """Return an untrained model with its text encoder trained, unless a checkpoint of a stopped run brings that.

    text_seed: of the text encoder, if it is another: a study's models can have one in common.
    """
    settings, network = MODELS[family]
    torch.manual_seed(seed)
    text_config = TextConfig(tuple(EXERCISES), encoder=text_encoder, d=chosen.d_text)
    if stopped:
        text = new_text_encoder(text_config)
    else:
        text = _text_encoder(text_config, chosen.text_steps, seed if text_seed is None else text_seed, say)
    features = FEATURES[chosen.features]
    statistics = features.fit(samples.x, samples.mask)
    sizes = NetworkConfig(
        n_frames=chosen.n_frames,
        n_features=features.n_features,
        d=chosen.d,
        layers=chosen.layers,
        heads=chosen.heads,
        patch=chosen.patch,
        n_exercises=len(text_config.classes),
        d_text=chosen.d_text,
        n_people=int(samples.person.max()) + 1,
        observes=chosen.observes,
    )
    more = {"sampling_steps": chosen.sampling_steps} if chosen.sampling_steps else {}
    own = {name: value for name, value in more.items() if name in {f.name for f in fields(settings)}}
    config = settings(
        text_config, sizes, statistics.mean, statistics.std, samples.scales, features=chosen.features, **own
    )
    torch.manual_seed(seed)
    model = network(config, text)
    fit_prior(model, samples)
    return model


_TRAINED: dict[tuple[TextConfig, int, int], dict[str, torch.Tensor]] = {}


def _text_encoder(config: TextConfig, steps: int, seed: int, say: Say) -> TextEncoder | HubTextEncoder:
    """Return a trained text encoder; it sees no clips, so one is enough for all models of a process."""
    key = config, steps, seed
    if key not in _TRAINED:
        _TRAINED[key] = train_text_encoder(config, steps, seed=seed, say=say).state_dict()
    text = new_text_encoder(config)
    text.load_state_dict(_TRAINED[key])
    return text


def _provenance(
    name: str,
    training: dict[str, list[Motion]],
    held_out: dict[str, list[Motion]],
    samples: Samples,
    people: dict[str, dict[str, list[int]]],
    settings: dict[str, Any],
) -> Provenance:
    subjects = sorted(
        {f"{n} {m.meta['subject']}" for n, motions in held_out.items() for m in motions if m.meta["subject"]}
    )
    named = [s for s in subjects if not s.startswith("simulator")]
    heights = samples.height[np.array([c != "simulator" for c in samples.corpus])]
    heights = heights if len(heights) else samples.height
    return Provenance(
        name=name,
        corpora=tuple(training),
        held_out=tuple(named),
        exercises=samples.exercises,
        durations=durations(samples),
        people=people,
        heights=(round(float(heights.mean()), 4), round(float(heights.std()), 4)),
        training=settings,
        version=__version__,
    )


def _people(samples: Samples) -> dict[str, dict[str, list[int]]]:
    """Return who was recorded per exercise and side: exercise -> side -> indices of people."""
    found: dict[str, dict[str, set[int]]] = {}
    for exercise, side, person in zip(samples.exercise, samples.side, samples.person, strict=True):
        if exercise and person >= 0:
            found.setdefault(exercise, {}).setdefault(side or "none", set()).add(int(person))
    return {e: {side: sorted(people) for side, people in sides.items()} for e, sides in found.items()}


def durations(samples: Samples) -> dict[str, dict[str, tuple[float, float]]]:
    """Return mean and deviation of ln seconds per exercise, for each score level, each scale, and over all."""
    logs: dict[str, dict[str, list[float]]] = {}
    for exercise, scores, seconds in zip(samples.exercise, samples.scores, samples.seconds, strict=True):
        table = logs.setdefault(exercise or "other", {})
        keys = ["any"] + [s.scale for s in scores] + [f"{s.scale}:{s.value:g}" for s in scores if s.scale != "sim"]
        for key in keys:
            table.setdefault(key, []).append(float(np.log(seconds)))
    return {
        exercise: {
            key: (round(float(np.mean(v)), 4), round(float(np.std(v)), 4)) for key, v in table.items() if len(v) >= 6
        }
        for exercise, table in logs.items()
    }
