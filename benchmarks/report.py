"""Writes the figures of first_light.py as Markdown: python benchmarks/report.py docs/results/first-light.json"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any


def markdown(f: dict[str, Any]) -> str:
    """Return the tables of docs/results/first-light.md."""
    j, p, c, g = f["judged"], f["physical"], f["copies"], f["grades"]
    low, high = j["exercise_right_ci"]
    kept, jerks = sum(g["order_kept"].values()), (p["jerk"]["generated"], p["jerk"]["held_out"])
    rows = [
        ("exercise right, unseen phrasings", f"{j['exercise_right']:.3f} [{low:.3f}, {high:.3f}]", "0.95"),
        ("worst exercise", f"{min(v['exercise_right'] for v in j['per_exercise'].values()):.3f}", "0.80"),
        ("the judge itself on held-out people", f"{j['judge_on_held_out_people']:.3f}", "-"),
        (
            "quality AUC over real AUC",
            f"{j['quality_auc']:.3f} / {j['quality_auc_real']:.3f} = {j['quality_auc_ratio']:.3f}",
            "0.9",
        ),
        (
            "grade macro-F1 over that of held-out simulator motions",
            f"{g['macro_f1']['generated']:.3f} / {g['macro_f1']['held_out']:.3f} = {g['ratio']:.3f}",
            "0.8",
        ),
        ("grade order 1 < 2 < 3 kept", f"{kept} of {len(g['order_kept'])} movements", "all"),
        ("bone length error", f"{p['bone_error_m']:.1e} m", "1e-4"),
        (
            "foot slide, mm per frame",
            f"{p['foot_slide_mm']['generated']:.2f} (real {p['foot_slide_mm']['held_out']:.2f})",
            "real + 1",
        ),
        (
            "jerk, m/s3",
            "{:.0f} / {:.0f} = {:.2f}".format(*jerks, jerks[0] / jerks[1]),
            "0.8 to 1.2",
        ),
        ("APD over held-out people's", f"{p['apd_ratio']['held_out']:.2f}", "0.8 to 1.2"),
        ("APD over training people's", f"{p['apd_ratio']['training']:.2f}", "-"),
        ("copies (under 2 cm)", f"{c['generated']:.3f} (own repetitions {c['left_out_repetitions']:.3f})", "not above"),
        ("another author's descriptions understood", f"{f['blind_text']['all']:.3f}", "-"),
    ]
    lines = ["| figure | measured | aim |", "|---|---|---|", *(f"| {a} | {b} | {aim} |" for a, b, aim in rows), ""]
    lines += [
        "| exercise | right | text understood | AUC | AUC real | APD 0 | real | APD 1 | real |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, v in j["per_exercise"].items():
        bad, good = p["apd_cells"][f"{name} uiprmd:0"], p["apd_cells"][f"{name} uiprmd:1"]
        lines.append(
            f"| {name} | {v['exercise_right']:.2f} | {v['text_understood']:.2f} | {v['auc']:.2f} | {v['auc_real']:.2f} "
            f"| {bad['generated']:.1f} | {bad['held_out']:.1f} | {good['generated']:.1f} | {good['held_out']:.1f} |"
        )
    lines += ["", "| FMS movement | mean grade read at fms:1, 2, 3 |", "|---|---|"]
    lines += [f"| {name} | {', '.join(f'{v:.2f}' for v in means)} |" for name, means in g["mean_grade_read"].items()]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    source = Path(sys.argv[1])
    source.with_suffix(".tables.md").write_text(
        markdown(json.loads(source.read_text(encoding="utf-8"))), encoding="utf-8"
    )
