"""One self-contained HTML file that plays motions side by side, offline, in any browser."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np

from rehabmotion.errors import UserError
from rehabmotion.motion import SCALES, Motion, Score
from rehabmotion.viz.stage import Stage, set_stage

MAX_NUMBERS = 30_000_000  # coordinates in one page, 80 MB of text: more and browsers give up


def player_html(panels: Sequence[tuple[str, Motion]], title: str) -> str:
    """Return the page: one panel for each (caption, motion), one clock for all, nothing loaded from anywhere.

    A strict content security policy names the page's own script and style by their hashes and allows nothing else.
    """
    if not panels:
        raise UserError("Expected at least one motion to play, got none.")
    numbers = sum(motion.positions.size for _, motion in panels)
    if numbers > MAX_NUMBERS:
        frames = sum(motion.n_frames for _, motion in panels)
        raise UserError(f"Expected motions that fit into one page, got {frames} frames. Trim or resample them.")
    style, script = template("player.css"), _script()
    allowed_script, allowed_style = player_scripts()
    fields = {
        "POLICY": f"default-src 'none'; script-src {allowed_script}; style-src {allowed_style}; "
        "base-uri 'none'; form-action 'none'",
        "TITLE": html.escape(title),
        "STYLE": style,
        "SCRIPT": script,
        "DATA": _json([_panel(label, set_stage(motion)) for label, motion in panels]),
    }
    # one pass, so that a caption that looks like a field stays a caption
    return re.sub(r"\{\{([A-Z]+)\}\}", lambda match: fields[match.group(1)], template("player.html"))


def player_scripts() -> tuple[str, str]:
    """Return how a content security policy names the player's script and its style: for pages that frame a player."""
    return hash_of(_script()), hash_of(template("player.css"))


def _script() -> str:
    return "(() => {\n" + template("draw.js") + template("player.js") + "})();\n"


def template(name: str) -> str:
    """Return the text of a file of this room."""
    return resources.files("rehabmotion.viz").joinpath(name).read_text(encoding="utf-8")


def hash_of(text: str) -> str:
    """Return a style's or script's text as a content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _json(value: Any) -> str:
    """JSON that is safe inside a script element: no <, >, & and only ASCII."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _panel(label: str, stage: Stage) -> dict[str, Any]:
    motion = stage.motion
    unit = max(
        1e-4, float(np.abs(stage.positions[motion.valid]).max()) / 32767
    )  # a tenth of a millimetre, coarser beyond 3.27 m
    counts = np.round(np.where(motion.valid[..., None], stage.positions, 0.0) / unit).astype("<i2")
    return {
        "label": label,
        "text": motion.text,
        "scores": [_score(score) for score in motion.scores],
        "fps": motion.fps,
        "frames": motion.n_frames,
        "names": list(motion.skeleton.joint_names),
        "unit": unit,
        "positions": base64.b64encode(counts.tobytes()).decode(),
        "mask": None if motion.valid.all() else base64.b64encode(np.packbits(motion.valid).tobytes()).decode(),
        "parts": [
            [part.side, part.unless, part.group, [[round(r, 4), list(weights.items())] for weights, r in part.spheres]]
            for part in stage.parts
        ],
        "height": round(stage.height, 4),
        "radius": round(stage.radius, 4),
    }


def _score(score: Score) -> list[str]:
    scale = SCALES[score.scale]
    spelled = scale.spelled_range.replace("..", " to ").replace("|", " or ")
    return [scale.name, f"{round(score.value, 1):g}", f"of {spelled}", scale.direction, scale.meaning]
