"""The studies by name."""

from __future__ import annotations

from rehabmotion.errors import UserError
from rehabmotion.workflows.studies import families, fitness, kinematics, robustness, utility
from rehabmotion.workflows.studies.study import Study

STUDIES: dict[str, Study] = {
    "fitness": fitness,
    "families": families,
    "kinematics": kinematics,
    "robustness": robustness,
    "utility": utility,
}


def study(name: str) -> Study:
    """Return a study by name; unknown names raise UserError."""
    if name not in STUDIES:
        raise UserError(f'Expected a study, got "{name}". Known: {", ".join(STUDIES)}.')
    return STUDIES[name]
