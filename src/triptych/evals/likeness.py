"""How alike two pictures are to the image tower of the text stage (CLIP; Radford et al. 2021).

The tower learned to tell pictures apart by what captions say of them: things, colours, places.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from triptych.core.errors import FileProblem
from triptych.core.events import Pixels
from triptych.core.registry import Card
from triptych.families.loading import read_weights
from triptych.text.clip import ImageTower, ImageTowerConfig


class Likeness:
    """Cosine similarity of pictures in the tower's space."""

    def __init__(self, tower: ImageTower) -> None:
        self.tower = tower.eval().requires_grad_(False)

    @classmethod
    def load(cls, folder: Path) -> Likeness:
        """The tower of a text model's folder; `FileProblem` if there is none or it does not fit its card."""
        config: Any = Card.read(folder).config.get("tower")
        weights = {
            name.removeprefix("tower."): tensor
            for name, tensor in read_weights(folder).items()
            if name.startswith("tower.")
        }
        try:
            tower = ImageTower(ImageTowerConfig(**config))
            tower.load_state_dict(weights)
        except (TypeError, RuntimeError) as error:
            raise FileProblem(f"the image tower in {folder} does not fit its card: {error}") from error
        return cls(tower)

    @torch.inference_mode()
    def features(self, picture: Pixels) -> Tensor:
        """(C,), of length one. picture: uint8 (H, W, 3) of any size."""
        size = self.tower.config.size
        small = Image.fromarray(np.ascontiguousarray(picture)).resize((size, size), Image.Resampling.BOX)
        values = torch.from_numpy(np.array(small)).permute(2, 0, 1)[None].float() / 127.5 - 1
        return self.tower(values)[0]

    def similarity(self, first: Pixels, second: Pixels) -> float:
        """-1 ... 1; 1 for equal pictures."""
        return float(self.features(first) @ self.features(second))
