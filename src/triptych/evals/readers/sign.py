"""The sign reader: a board's window to letters, by connectionist temporal classification.

CTC (Graves et al. 2006): each column says a letter or nothing; what is read is the letters, repeats merged, blanks left
out. Columns see a bounded neighbourhood and no dictionary, so that a word is read as it is spelt.
"""

from __future__ import annotations

import string
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from triptych.core.plan import MAX_SIGN_LETTERS
from triptych.evals.readers.layers import conv_norm

LETTERS = string.ascii_uppercase
BLANK = 0
"""Classes: 0 is no letter, 1 to 26 are A to Z."""


class SignReader(nn.Module):
    """Windows (B, 3, 32, 128) in [-1, 1] -> logits (B, 32 columns, 27)."""

    def __init__(self, widths: tuple[int, int, int] = (32, 56, 80)) -> None:
        super().__init__()
        first, second, third = widths
        self.body = nn.Sequential(
            *conv_norm(3, first, (2, 1)),
            *conv_norm(first, second, (2, 2)),
            *conv_norm(second, third, (2, 2)),
            nn.Conv2d(third, third, (4, 3), padding=(0, 1), bias=False),  # the board's whole height: one row is left
            nn.BatchNorm2d(third),
            nn.ReLU(),
        )
        self.head = nn.Conv1d(third, len(LETTERS) + 1, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.body(x)[:, :, 0]).float().transpose(1, 2)


def sign_loss(logits: Tensor, letters: Tensor) -> Tensor:
    """Mean CTC loss. letters (B, 10): classes, 0 behind the word's end."""
    steps = torch.full((len(logits),), logits.shape[1])
    log_chances = logits.log_softmax(-1).transpose(0, 1)
    losses = F.ctc_loss(log_chances, letters, steps, (letters > 0).sum(1), reduction="none", zero_infinity=True)
    return losses.mean() / MAX_SIGN_LETTERS


def encode_word(word: str) -> list[int]:
    """Ten classes; what is no letter is left out."""
    classes = [LETTERS.index(letter) + 1 for letter in word.upper() if letter in LETTERS][:MAX_SIGN_LETTERS]
    return classes + [BLANK] * (MAX_SIGN_LETTERS - len(classes))


def greedy(classes: Sequence[int]) -> str:
    """The likeliest class of each column to the word: repeats merged, then blanks dropped."""
    kept = [now for now, before in zip(classes, [BLANK, *classes], strict=False) if now not in (BLANK, before)]
    return "".join(LETTERS[each - 1] for each in kept)
