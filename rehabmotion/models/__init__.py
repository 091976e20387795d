"""Networks: text encoder, generators by family, evaluator. A new family is one file and one line in MODELS."""

from rehabmotion.models.config import GeneratorConfig
from rehabmotion.models.diffusion import DiffusionConfig, DiffusionGenerator
from rehabmotion.models.evaluator import Evaluator, EvaluatorConfig
from rehabmotion.models.flow import FlowConfig, FlowGenerator
from rehabmotion.models.gan import GanConfig, GanGenerator
from rehabmotion.models.generator import Generator
from rehabmotion.models.vae import VaeConfig, VaeGenerator

MODELS: dict[str, tuple[type[GeneratorConfig], type[Generator]]] = {
    DiffusionGenerator.kind: (DiffusionConfig, DiffusionGenerator),
    FlowGenerator.kind: (FlowConfig, FlowGenerator),
    VaeGenerator.kind: (VaeConfig, VaeGenerator),
    GanGenerator.kind: (GanConfig, GanGenerator),
}
EVALUATORS = {Evaluator.kind: (EvaluatorConfig, Evaluator)}  # what judges, kept apart from what generates

__all__ = [
    "EVALUATORS",
    "MODELS",
    "DiffusionConfig",
    "DiffusionGenerator",
    "Evaluator",
    "EvaluatorConfig",
    "FlowConfig",
    "FlowGenerator",
    "GanConfig",
    "GanGenerator",
    "Generator",
    "GeneratorConfig",
    "VaeConfig",
    "VaeGenerator",
]
