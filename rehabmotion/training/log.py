"""The log of a run: log.csv always, TensorBoard events beside it where TensorBoard is installed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

EVERY = 50


class Log:
    """Appends one line per EVERY training steps and per validation to run/log.csv."""

    def __init__(self, run: Path, first_step: int) -> None:
        self.path = run / "log.csv"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if first_step == 0:
            self.path.unlink(missing_ok=True)
        self.board = _tensorboard(run)

    def training(self, step: int, losses: dict[str, float], rate: float, per_second: float) -> None:
        """Note the losses of a training step."""
        if step % EVERY == 0:
            self._write(step, "train", losses, f"{rate:.3g}", f"{per_second:.3g}")

    def validation(self, step: int, losses: dict[str, float]) -> None:
        """Note the losses on held-out people."""
        self._write(step, "validation", losses, "", "")

    def _write(self, step: int, split: str, losses: dict[str, float], rate: str, per_second: str) -> None:
        names = ["total", *(name for name in losses if name != "total")]
        values = ",".join(f"{losses[name]:.6g}" for name in names)
        with self.path.open("a", encoding="utf-8") as file:
            if file.tell() == 0:
                file.write(f"step,split,{','.join(names)},rate,steps_per_second\n")
            file.write(f"{step},{split},{values},{rate},{per_second}\n")
        if self.board is not None:
            for name, value in losses.items():
                self.board.add_scalar(f"{split}/{name}", value, step)


def _tensorboard(run: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(run / "tensorboard"))
