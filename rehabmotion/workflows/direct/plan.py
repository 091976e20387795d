"""The plan of the study: every run by name, with its steps and what it takes. Rows are dropped where time is short."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from rehabmotion.models.direct.backbones import BACKBONES
from rehabmotion.models.direct.heads import HEADS
from rehabmotion.models.direct.losses import LossConfig
from rehabmotion.models.direct.network import FrameConfig, SequenceConfig
from rehabmotion.models.direct.sequences import SEQUENCES
from rehabmotion.training.direct.frames import Augment

BASE, STEPWISE = "frame", "multi-step"  # names of the two runs that all others stand beside
FRAME_LOSS = LossConfig()
SEQUENCE_LOSS = LossConfig(norm="l2")


@dataclass(frozen=True)
class Run:
    """One network that is trained. kind: frame, keypoints, sequence, or joint (both networks at once).

    of: the frame run whose network a sequence network follows; beside: the run it differs from by one thing; rate: of
    learning; minutes: of one core, measured; scales: whether factors are predicted; targets are filled in later.
    """

    name: str
    section: str
    kind: str
    steps: int
    minutes: float
    beside: str
    of: str = ""
    frame: FrameConfig = FrameConfig()  # noqa: RUF009 (frozen)
    sequence: SequenceConfig = SequenceConfig()  # noqa: RUF009 (frozen)
    loss: LossConfig = FRAME_LOSS
    augment: Augment = Augment()  # noqa: RUF009 (frozen)
    rate: float = 2e-3
    batch: int = 32
    scales: bool = True


@dataclass(frozen=True)
class Sizes:
    """What a size of the study does. frame_steps, sequence_steps, joint_steps: of a run.

    budget: minutes of a core, drawing aside; every: n-th clip that is drawn, 0: made-up ones; every_frame: n-th frame
    of a clip; grid: whether all backbones meet all sequence networks.
    """

    image: int
    width: float
    depth: float
    window: int
    windows: tuple[int, ...]
    frame_steps: int
    sequence_steps: int
    joint_steps: int
    batch: int
    every: int
    every_frame: int
    budget: float
    grid: bool
    cut: tuple[str, ...]


SMOKE = Sizes(
    64, 0.125, 0.1, 9, (9,), 4, 3, 2, 8, 0, 2, 2.0, False,
    ("made-up movement, 2 to 4 steps a run, smallest networks: it shows that all runs, its figures say nothing",),
)  # fmt: skip
FULL = Sizes(
    64, 0.25, 0.34, 27, (9, 27, 81), 1000, 350, 150, 32, 3, 2, 115.0, True,
    (
        "pictures of 64 pixels for 256, a quarter of the channels, a third of the blocks, nothing pretrained",
        "1,000 steps of 32 for 28 epochs of 64, 350 of 16 windows for 50 epochs; windows of 9, 27, 81 for up to 243",
        "one seed; every third clip of the training people, every sixth of the two held out; every second frame",
    ),
)  # fmt: skip
# minutes of one core for 1,000 steps of 32 (frame) and 100 of 16 windows of 27 (sequence), measured on a busy machine
FRAME_MINUTES = {
    "resnet18": 1.9, "resnet50": 4.9, "resnext50": 5.8, "convnext": 3.6, "efficientnet": 4.6, "mobilenetv3": 2.3,
    "mobileone": 2.5, "vit": 1.9,
}  # fmt: skip
SEQUENCE_MINUTES = {"strided_transformer": 0.18, "tcn": 0.14, "lstm": 0.28, "state_space": 0.2}
EXTRA_MINUTES = 0.25  # of a run: rows, judging
JOINT_MINUTES = (0.4, 1.8)  # of the second network alone, of both
SOLVING_MINUTES = 4.5  # of the multi-step pipeline: scaling and inverse kinematics of the held-out clips


def plan(sizes: Sizes) -> list[Run]:
    """Return the runs, the most wanted first: a frame network always stands before what follows it."""
    base = _base(sizes)
    solving = SOLVING_MINUTES if sizes.every else 0.2
    first = replace(base, name=STEPWISE, kind="keypoints", minutes=base.minutes + solving, beside=BASE)
    transformer = _sequence(sizes, base, "strided_transformer", "main", "sequence")
    runs = [base, first, transformer, *_backbones(sizes, base), *_sequences(sizes, base)]
    runs += [*_ablations(base), *_sequence_ablations(sizes, base, transformer), *_joint(sizes, base, transformer)]
    runs += _sensitivity(base) if sizes.grid else _sensitivity(base)[:1]
    return runs + (_grid(sizes, base) if sizes.grid else [])


def fitting(runs: Sequence[Run], budget: float) -> tuple[list[Run], list[Run]]:
    """Return the runs that fit a budget of minutes, in order, and those that are cut; what follows a cut one is too."""
    kept, cut, spent = list[Run](), list[Run](), 0.0
    for run in runs:
        lost = {c.name for c in cut}
        if spent + run.minutes > budget or run.of in lost:
            cut.append(run)
        else:
            kept.append(run)
            spent += run.minutes
    return kept, cut


def as_rows(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Return the plan as rows, JSON-ready."""
    return [{"name": r.name, "section": r.section, "kind": r.kind, "steps": r.steps, "batch": r.batch,
             "minutes": r.minutes} for r in runs]  # fmt: skip


def _base(sizes: Sizes) -> Run:
    network = FrameConfig(backbone="resnet18", width=sizes.width, depth=sizes.depth, image=sizes.image)
    return Run(BASE, "main", "frame", sizes.frame_steps, _minutes("resnet18", sizes), BASE, frame=network,
               batch=sizes.batch)  # fmt: skip


def _backbones(sizes: Sizes, base: Run) -> list[Run]:
    return [
        replace(base, name=name, section="backbones", minutes=_minutes(name, sizes),
                frame=replace(base.frame, backbone=name))
        for name in BACKBONES if name != base.frame.backbone
    ]  # fmt: skip


def _sequence(sizes: Sizes, of: Run, network: str, section: str, name: str, window: int | None = None) -> Run:
    window = window or sizes.window
    config = SequenceConfig(sequence=network, width=sizes.width, depth=sizes.depth, frames=window)
    share = sizes.sequence_steps / 100 * window / FULL.window
    return Run(
        name, section, "sequence", sizes.sequence_steps, SEQUENCE_MINUTES[network] * share + _extra(sizes), "sequence",
        of=of.name, frame=of.frame, sequence=config, loss=SEQUENCE_LOSS, rate=1e-3, batch=max(2, sizes.batch // 2),
    )  # fmt: skip


def _sequences(sizes: Sizes, base: Run) -> list[Run]:
    names = [name for name in SEQUENCES if name not in ("none", "strided_transformer")]
    return [_sequence(sizes, base, name, "sequences", name) for name in names]


def _grid(sizes: Sizes, base: Run) -> list[Run]:
    return [
        _sequence(sizes, of, network, "grid", f"{of.name} + {network}")
        for of in _backbones(sizes, base) for network in SEQUENCES if network != "none"
    ]  # fmt: skip


def _ablations(base: Run) -> list[Run]:
    def run(name: str, **changes: Any) -> Run:
        return replace(base, name=name, section="ablations", **changes)

    heads = [run(f"head {name}", frame=replace(base.frame, head=name)) for name in HEADS if name != base.frame.head]
    return [
        run("no skeletal losses", loss=_alone(FRAME_LOSS)),
        run("skeletal losses only", loss=replace(FRAME_LOSS, angle=0.0, scale=0.0)),
        run("no marker loss", loss=replace(FRAME_LOSS, marker=0.0)),
        run("no joint loss", loss=replace(FRAME_LOSS, joint=0.0)),
        run("no scale loss", loss=replace(FRAME_LOSS, scale=0.0)),
        run("scales not predicted", loss=replace(FRAME_LOSS, scale=0.0), scales=False),
        run("root by Euler angles", frame=replace(base.frame, root="euler")),
        run("no occlusion", augment=replace(base.augment, occlusion=0.0)),
        *heads,
    ]  # fmt: skip


def _sequence_ablations(sizes: Sizes, base: Run, beside: Run) -> list[Run]:
    def run(name: str, **changes: Any) -> Run:
        return replace(beside, name=name, section="sequence ablations", **changes)

    others = [w for w in sizes.windows if w != sizes.window]
    return [
        *(_sequence(sizes, base, "strided_transformer", "sequence ablations", f"window {w}", w) for w in others),
        run("causal", sequence=replace(beside.sequence, causal=True)),
        run("rows without places", sequence=replace(beside.sequence, positions=False)),
        run("sequence, no skeletal losses", loss=_alone(SEQUENCE_LOSS)),
    ]  # fmt: skip


def _joint(sizes: Sizes, base: Run, beside: Run) -> list[Run]:
    """Return training of both networks at once, and of the second alone with as many steps and windows."""
    share = sizes.joint_steps / FULL.joint_steps
    frozen = replace(
        beside,
        name="frozen, few steps",
        section="joint",
        beside="frozen, few steps",
        steps=sizes.joint_steps,
        batch=max(2, beside.batch // 4),
        minutes=JOINT_MINUTES[0] * share,
    )
    return [
        frozen,
        replace(frozen, name="joint, few steps", kind="joint", minutes=JOINT_MINUTES[1] * share, rate=5e-4),
    ]


def _sensitivity(base: Run) -> list[Run]:
    def run(name: str, **changes: Any) -> Run:
        return replace(base, name=name, section="sensitivity", **changes)

    weights = [run(f"lambda4 {x}", loss=replace(FRAME_LOSS, angle=x)) for x in (0.01, 0.03, 0.2)]
    parts = [run(f"H {x}", loss=replace(FRAME_LOSS, quadratic=x)) for x in (0.05, 0.2)]
    rates = [run(f"learning rate {x}", rate=x) for x in (5e-4, 5e-3)]
    return [*weights, *parts, *rates]


def _alone(loss: LossConfig) -> LossConfig:
    """Return losses without those of the skeletal layer: without places something else must tell the root."""
    return replace(loss, marker=0.0, joint=0.0, root=0.06)


def _minutes(backbone: str, sizes: Sizes) -> float:
    return round(FRAME_MINUTES[backbone] * sizes.frame_steps / 1000 + _extra(sizes), 2)


def _extra(sizes: Sizes) -> float:
    return EXTRA_MINUTES if sizes.every else 0.02
