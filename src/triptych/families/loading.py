"""From model folders to loaded parts and families. The one place that knows which family a card belongs to.

A `Parts` loads each shared part once: text encoder, autoencoder, tokenizer, plan writer. Weights are stored in half
precision and used in float32.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

from triptych.adapters.control import ControlAdapter, Point
from triptych.adapters.plan_input import PlanInput
from triptych.adapters.plan_vocabulary import PlanVocabulary
from triptych.adapters.reference import ROLES, ReferenceAdapter
from triptych.autoencoders import fsq, kl
from triptych.core.errors import FileProblem
from triptych.core.registry import Card, builtin_folder
from triptych.nn.storage import unpacked
from triptych.planning.edit_tokens import EditTokens
from triptych.planning.editor import Editor, EditorConfig
from triptych.planning.tokens import PlanTokens
from triptych.planning.writer import PlanWriter, PlanWriterConfig
from triptych.text.encoder import TextEncoder, TextEncoderConfig
from triptych.text.synonyms import resolve
from triptych.text.tokenizer import Tokenizer

__all__ = ["TINY_AUTOENCODER", "Parts", "TextReader", "builtin_folder", "fresh", "load"]

TINY_AUTOENCODER = kl.AutoencoderConfig(
    latent_channels=16, widths=(16, 32), encoder_blocks=(1, 1), decoder_blocks=(1, 1)
)
"""For tests: the real shapes in a fraction of a second."""


class TextReader:
    """Tokenizer and encoder as a family sees them: a prompt to states. Prompts are always read alone."""

    def __init__(self, tokenizer: Tokenizer, encoder: TextEncoder) -> None:
        self.tokenizer, self.encoder = tokenizer, encoder
        self.width, self.length = encoder.config.width, encoder.config.length
        self._known = frozenset(tokenizer.words)

    def states(self, prompt: str) -> Tensor:
        """Token states (length, width), padding included."""
        return self._read(prompt)[0][0]

    def pooled(self, prompt: str) -> Tensor:
        """(width,), of length one: cosine similarity to other prompts and to the image tower's pictures."""
        return self._read(prompt)[1][0]

    def resolved(self, prompt: str) -> str:
        """The prompt with words that have a close known one replaced (kitten: cat), as it is read."""
        return resolve(prompt, self._known)[0]

    def truncated(self, prompt: str) -> bool:
        """Whether words at the end do not fit."""
        return self.tokenizer.encode(self.resolved(prompt), self.length).truncated

    @torch.inference_mode()
    def _read(self, prompt: str) -> tuple[Tensor, Tensor]:
        return self.encoder(torch.tensor([self.tokenizer.encode(self.resolved(prompt), self.length).ids]))


class Parts:
    """The parts that models share, loaded once. `folder_of` says where a part lies."""

    def __init__(self, folder_of: Callable[[str], Path]) -> None:
        self._folder_of = folder_of
        self.autoencoder = cache(self._autoencoder)
        self.tokenizer = cache(self._tokenizer)
        self.text = cache(self._text)
        self.planner = cache(self._planner)
        self.editor = cache(self._editor)

    def card(self, part: str) -> Card:
        return Card.read(self._folder_of(part))

    def sha(self, part: str) -> str:
        """Hash of the part's weights as its card names it."""
        return next(iter(self.card(part).files.values())).sha256

    def _autoencoder(self) -> kl.Autoencoder:
        card, tensors = self._open("autoencoder")
        with _as_on(card):
            autoencoder = kl.Autoencoder(_config(kl.AutoencoderConfig, card.config))
        return _filled(autoencoder, tensors)

    def _tokenizer(self) -> fsq.Tokenizer:
        card, tensors = self._open("tokenizer")
        with _as_on(card):
            tokenizer = fsq.Tokenizer(_config(fsq.TokenizerConfig, card.config))
        return _filled(tokenizer, tensors)

    def _text(self) -> TextReader:
        card, tensors = self._open("text")
        with _as_on(card):
            encoder = TextEncoder(TextEncoderConfig(**card.config["encoder"]))
            words = Tokenizer.from_json(card.config["tokenizer"])
        return TextReader(words, _filled(encoder, _under(tensors, "encoder.")))

    def _planner(self) -> tuple[PlanWriter, PlanTokens, TextReader]:
        """The writer, its vocabulary, and the reader of its prompts: with its own encoder where it has one."""
        card, tensors = self._open("planner")
        reader = self.text()
        with _as_on(card):
            writer = PlanWriter(PlanWriterConfig(**card.config["writer"]))
            tokens = PlanTokens.from_json(card.config["tokens"])
        if own := _under(tensors, "encoder."):
            reader = TextReader(reader.tokenizer, _filled(TextEncoder(reader.encoder.config), own))
        return _filled(writer, _under(tensors, "writer.")), tokens, reader

    def _editor(self) -> tuple[Editor, EditTokens]:
        """The reader of instructions, and its vocabulary."""
        card, tensors = self._open("editor")
        with _as_on(card):
            editor = Editor(EditorConfig(**card.config["editor"]))
            tokens = EditTokens.from_json(card.config["tokens"])
        return _filled(editor, tensors), tokens

    def _open(self, part: str) -> tuple[Card, dict[str, Tensor]]:
        folder = self._folder_of(part)
        return Card.read(folder), read_weights(folder)


def read_weights(folder: Path) -> dict[str, Tensor]:
    """All tensors of a model folder, in float32, however they are stored."""
    tensors: dict[str, Tensor] = {}
    for path in sorted(folder.glob("*.safetensors")):
        try:
            tensors |= load_file(path)
        except Exception as error:  # safetensors raises its own kinds
            raise FileProblem(f"the weights {path} cannot be read: {error}") from error
    if not tensors:
        raise FileProblem(f"there are no weights in {folder}")
    tensors = unpacked(tensors)
    return {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}


def fresh(name: str, preset: str, parts: Parts, vocabulary: PlanVocabulary) -> tuple[Any, Card]:
    """The untrained built-in model of that name and preset, and the card that its weights will carry."""
    if name not in _BUILT_IN:
        raise FileProblem(f"there is no family behind the name {name!r} (known: {', '.join(_BUILT_IN)})")
    kind = _KINDS[_BUILT_IN[name]]
    family = kind.build(name, preset, parts, vocabulary)
    card = Card(
        name=name,
        description=kind.description,
        preset=preset,
        parts=("text", "planner", kind.pictures),
        config={"plan_vocabulary": vocabulary.as_json()},
        capabilities=family.capabilities,
    )
    return family, card


def load(name: str, card: Card, folder: Path, parts: Parts) -> Any:
    """The trained family of a model folder, ready to paint."""
    with _as_on(card):
        vocabulary = PlanVocabulary.from_json(card.config["plan_vocabulary"])
        family = _KINDS[card.family].build(name, card.preset, parts, vocabulary)
    tensors = read_weights(folder)
    _filled(family.network, _under(tensors, "network."))
    _filled(family.plan_input, _under(tensors, "plan_input."))
    if card.capabilities is not None:
        family.capabilities = card.capabilities
    return family


def load_control(card: Card, folder: Path, points: tuple[Point, ...]) -> ControlAdapter:
    """The trained control adapter of a folder, for a network with these points."""
    with _as_on(card):
        sizes = {key: card.config[key] for key in ("width", "rank")}
        adapter = ControlAdapter(points, kinds=tuple(card.config["kinds"]), **sizes)
    return _filled(adapter, read_weights(folder))


def load_reference(card: Card, folder: Path, layers: dict[str, tuple[int, int]]) -> ReferenceAdapter:
    """The trained reference adapter of a folder, for a network with these layers."""
    with _as_on(card):
        if tuple(card.config["roles"]) != ROLES:
            raise ValueError(f"it knows the roles {', '.join(card.config['roles'])}, not {', '.join(ROLES)}")
        adapter = ReferenceAdapter(layers, **{key: card.config[key] for key in ("width", "channels", "rank")})
    return _filled(adapter, read_weights(folder))


def _flow(name: str, preset: str, parts: Parts, vocabulary: PlanVocabulary) -> Any:
    from triptych.families.flow.family import FlowFamily
    from triptych.families.flow.mmdit import MMDiT
    from triptych.families.flow.presets import capabilities, preset_of

    text = parts.text()
    chosen = preset_of(preset, text.width)
    plan_input = PlanInput(**vocabulary.sizes, width=chosen.network.width, patch=chosen.patch)
    network = MMDiT(chosen.network)
    return FlowFamily(name, capabilities(chosen), network, plan_input, vocabulary, text, parts.autoencoder())


def _diffusion(name: str, preset: str, parts: Parts, vocabulary: PlanVocabulary) -> Any:
    from triptych.families.diffusion.family import DiffusionFamily
    from triptych.families.diffusion.presets import capabilities, preset_of
    from triptych.families.diffusion.unet import UNet

    text = parts.text()
    chosen = preset_of(preset, text.width)
    plan_input = PlanInput(**vocabulary.sizes, width=chosen.network.block_out_channels[0])
    network = UNet(chosen.network)
    return DiffusionFamily(name, capabilities(chosen), network, plan_input, vocabulary, text, parts.autoencoder())


def _tokens(name: str, preset: str, parts: Parts, vocabulary: PlanVocabulary) -> Any:
    from triptych.families.autoregressive.decoder import Decoder
    from triptych.families.autoregressive.family import TokenFamily
    from triptych.families.autoregressive.presets import capabilities, preset_of

    text, tokenizer = parts.text(), parts.tokenizer()
    chosen = preset_of(preset, tokenizer.vocabulary, text.width, text.length)
    plan_input = PlanInput(**vocabulary.sizes, width=chosen.network.width)
    return TokenFamily(name, capabilities(chosen), Decoder(chosen.network), plan_input, vocabulary, text, tokenizer)


@dataclass(frozen=True)
class _Kind:
    """How a family is built. pictures: the part that turns what it paints into pixels."""

    build: Callable[[str, str, Parts, PlanVocabulary], Any]
    pictures: str
    description: str


_KINDS = {
    "flow": _Kind(
        _flow, "autoencoder", "Rectified flow over latents, painted by a multimodal transformer of FLUX.2's structure."
    ),
    "diffusion": _Kind(
        _diffusion, "autoencoder", "Latent diffusion with Stable Diffusion's U-Net, v-prediction and zero terminal SNR."
    ),
    "autoregressive": _Kind(
        _tokens, "tokenizer", "Autoregressive decoder of LlamaGen's structure over the tokenizer's picture tokens."
    ),
}
_BUILT_IN = {"flow": "flow", "diffusion": "diffusion", "tokens": "autoregressive"}
"""Which family each built-in model, and the stage that trains it, is of."""


@contextmanager
def _as_on(card: Card) -> Generator[None]:
    """A card is data that anyone may have written: what it lacks, or holds that nothing can be built from, is told."""
    try:
        yield
    except KeyError as error:
        raise FileProblem(f"the card of {card.name!r} does not fit: {error} is missing or not known") from error
    except (TypeError, ValueError, AttributeError, ArithmeticError) as error:
        raise FileProblem(f"the card of {card.name!r} does not fit: {error}") from error


def _config(kind: type[Any], data: dict[str, Any]) -> Any:
    """A configuration class from JSON, whose lists were tuples."""
    return kind(**{key: tuple(value) if isinstance(value, list) else value for key, value in data.items()})


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _filled(module: Any, tensors: dict[str, Tensor]) -> Any:
    """The module with these weights, strictly, in evaluation mode."""
    try:
        module.load_state_dict(tensors)
    except RuntimeError as error:
        raise FileProblem(f"the weights do not fit their card: {str(error).splitlines()[-1].strip()}") from error
    return module.requires_grad_(False).eval()
