"""Networks: text encoder, denoiser, generators, evaluator. A new family is one file and one line in MODELS."""

from rehabmotion.models.evaluator import Evaluator, EvaluatorConfig
from rehabmotion.models.generator import DiffusionConfig, DiffusionGenerator

MODELS = {DiffusionGenerator.kind: (DiffusionConfig, DiffusionGenerator)}
EVALUATORS = {Evaluator.kind: (EvaluatorConfig, Evaluator)}  # what judges, kept apart from what generates

__all__ = ["EVALUATORS", "MODELS", "DiffusionConfig", "DiffusionGenerator", "Evaluator", "EvaluatorConfig"]
