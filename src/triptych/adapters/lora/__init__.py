"""LoRA (Hu et al. 2021): reading files of every common naming, and attaching, stacking and fusing them."""

from triptych.adapters.lora.attach import Fused, Shelf, attached, shelf_of
from triptych.adapters.lora.file import LoraFile, Words, read_lora, read_metadata, write_lora
from triptych.adapters.lora.match import Match, Mismatch, Report, layers_of, match, printable
from triptych.adapters.lora.trained import MAX_RANK, PREFIXES, TrainedLora

__all__ = [
    "MAX_RANK",
    "PREFIXES",
    "Fused",
    "LoraFile",
    "Match",
    "Mismatch",
    "Report",
    "Shelf",
    "TrainedLora",
    "Words",
    "attached",
    "layers_of",
    "match",
    "printable",
    "read_lora",
    "read_metadata",
    "shelf_of",
    "write_lora",
]
