"""The log of a run: log.csv always, TensorBoard events beside it where TensorBoard is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rehabmotion.files import write_atomic

EVERY = 50
HEADER = "step,split,name,value"


class Log:
    """Appends the figures of every EVERYth step and of each validation to run/log.csv, one a line."""

    def __init__(self, run: Path, first_step: int) -> None:
        self.path = run / "log.csv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._keep_until(first_step)
        self.board = _tensorboard(run)

    def training(self, step: int, losses: dict[str, float], rate: float, per_second: float) -> None:
        """Note the losses of a training step."""
        if step % EVERY == 0:
            self._write(step, "train", {**losses, "rate": rate, "steps_per_second": per_second})

    def validation(self, step: int, losses: dict[str, float]) -> None:
        """Note the losses on held-out people, and what judges say."""
        self._write(step, "validation", losses)

    def _write(self, step: int, split: str, figures: dict[str, float]) -> None:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{step},{split},{name},{value:.6g}\n" for name, value in figures.items())
        if self.board is not None:
            for name, value in figures.items():
                self.board.add_scalar(f"{split}/{name}", value, step)

    def _keep_until(self, step: int) -> None:
        """Drop what a stopped run wrote after its last checkpoint: it is done again."""
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() and step else []
        kept = [line for line in lines[1:] if line.count(",") == 3 and int(line.split(",", 1)[0]) <= step]
        write_atomic(self.path, "".join(f"{line}\n" for line in [HEADER, *kept]))


def _tensorboard(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(run / "tensorboard"))
