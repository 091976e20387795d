"""The card of a lifter: what it does, what it was made from, what it is not for."""

from __future__ import annotations

from rehabmotion.models.lifter.network import Lifter
from rehabmotion.workflows import lifter

NAMES = {
    "uiprmd-vicon": "UI-PRMD, optical markers and Kinect (public domain)",
    "cmu": "CMU motion capture (free use, credited)",
    "mars": "MARS (open)",
    "simulator": "the built-in exercise simulator",
}


def lifter_card(network: Lifter, about: lifter.About, figures: str) -> str:
    """Return the card in Markdown."""
    weights = sum(p.numel() for p in network.parameters())
    c = network.config
    return f"""# lifter

Points of one person in one camera in, a moving OpenSim skeleton (rehab37) out: rotations of joints, sizes of bodies,
the direction of gravity, 43 surface markers, and how far each angle may be off. A transformer over {c.window} frames at
{c.fps:g} frames/s, {weights / 1e6:.2f} million weights, rehabmotion {about.version}.

## Made from

{chr(10).join(f"- {NAMES.get(name, name)}" for name in about.corpora)}

Joint angles are those of our scaling and inverse kinematics. What it saw were these movements by cameras and a detector
that are drawn (off by something constant, something slow, something quick; left and right swapped; points lost), and
repetitions that a Kinect recorded beside the markers. Nobody of {", ".join(about.held_out)} of UI-PRMD was learnt from;
the bands are widened to hold nine tenths of the errors on {", ".join(about.calibration)}, not learnt from either.

Remade by `scripts/train-shipped lifter`; settings: {about.training["training"]["steps"]} steps of
{about.training["training"]["batch_size"]} windows, seed {about.training["training"]["seed"]}.

## Figures

{figures or "See docs/results/capture.md."}

## Not for

- Diagnosis or treatment: this is no medical device.
- Hands, faces, spines in detail, prostheses, wheelchairs, children: nobody like that was learnt from.
- Sizes in metres without the person's height: one camera tells proportions only.
"""
