"""The exercise simulator: a corpus without data, with known compensations, scores and grades."""

from rehabmotion.data.simulator.body import Body, draw_body
from rehabmotion.data.simulator.compensations import APPLIES
from rehabmotion.data.simulator.corpus import VERSION, corpus_motions
from rehabmotion.data.simulator.scoring import WEIGHTS, fms_grade, sim_score
from rehabmotion.data.simulator.simulate import SIMULATED, load, simulate

__all__ = [
    "APPLIES",
    "SIMULATED",
    "VERSION",
    "WEIGHTS",
    "Body",
    "corpus_motions",
    "draw_body",
    "fms_grade",
    "load",
    "sim_score",
    "simulate",
]
