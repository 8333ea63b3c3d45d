"""Checkpoints with random weights in the public layouts, written by diffusers itself: tiny, or of the real shapes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from triptych.open_weights.vocabulary import END, shipped

NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


@dataclass(frozen=True)
class Shapes:
    """heads, groups: of the U-Net. tower: width of the first text tower. size_features: of each of SDXL's numbers."""

    heads: int
    groups: int
    tower: int
    tower_heads: int
    size_features: int
    vae_channels: tuple[int, ...]
    vae_groups: int
    vae_layers: int

    @property
    def vae(self) -> dict[str, Any]:
        return {
            "block_out_channels": self.vae_channels,
            "down_block_types": ("DownEncoderBlock2D",) * 4,
            "up_block_types": ("UpDecoderBlock2D",) * 4,
            "norm_num_groups": self.vae_groups,
            "layers_per_block": self.vae_layers,
        }


TINY = Shapes(4, 8, 32, 4, 8, (8, 8, 16, 16), 4, 1)
ONE_FILE = Shapes(1, 32, 64, 1, 256, (32, 32, 64, 64), 32, 2)
"""What one file does not tell is as in every public checkpoint: heads of 64 channels, 32 groups."""


def stable_diffusion_1(folder: Path, like: Shapes = TINY) -> None:
    """SD 1.x: epsilon, one tower of OpenAI's CLIP, 1x1 convolutions around the transformers."""
    _stable_diffusion(folder, like, act="quick_gelu", pad=END, prediction="epsilon", linear=False)


def stable_diffusion_2(folder: Path, like: Shapes = TINY) -> None:
    """SD 2.x at 768: v, OpenCLIP's tower, which pads with "!", linear layers around the transformers."""
    _stable_diffusion(folder, like, act="gelu", pad="!", prediction="v_prediction", linear=True)


def stable_diffusion_xl(folder: Path, like: Shapes = TINY) -> None:
    """SDXL: two towers side by side, pooled text and sizes beside the time."""
    diffusers = _diffusers()
    with _random():
        unet = diffusers.UNet2DConditionModel(
            **_unet(like, cross=like.tower + 64, linear=True)
            | {
                "transformer_layers_per_block": (1, 2),
                "attention_head_dim": (like.heads, like.heads),
                "addition_embed_type": "text_time",
                "addition_time_embed_dim": like.size_features,
                "projection_class_embeddings_input_dim": 24 + 6 * like.size_features,
            }
        )
        pipeline = diffusers.StableDiffusionXLPipeline(
            vae=diffusers.AutoencoderKL(**like.vae, latent_channels=4, scaling_factor=0.13025),
            text_encoder=_tower(like, act="quick_gelu"),
            text_encoder_2=_tower(like, act="gelu", width=64, projected=24),
            tokenizer=_tokenizer(END),
            tokenizer_2=_tokenizer("!"),
            unet=unet,
            scheduler=diffusers.EulerDiscreteScheduler(**NOISE, timestep_spacing="leading", steps_offset=1),
            add_watermarker=False,
        )
    _save(pipeline, folder)


def flux2_klein(folder: Path) -> None:
    """FLUX.2 [klein], not distilled: Qwen3's states of three layers, the transformer of two streams and one."""
    diffusers, transformers = _diffusers(), _transformers()
    with _random():
        pipeline = diffusers.Flux2KleinPipeline(
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
            vae=diffusers.AutoencoderKLFlux2(**TINY.vae, latent_channels=4),
            text_encoder=transformers.Qwen3ForCausalLM(
                transformers.Qwen3Config(
                    vocab_size=300,
                    hidden_size=32,
                    intermediate_size=48,
                    num_hidden_layers=4,
                    num_attention_heads=4,
                    num_key_value_heads=2,
                    head_dim=8,
                    tie_word_embeddings=True,
                )
            ),
            tokenizer=_qwen_tokenizer(),
            transformer=diffusers.Flux2Transformer2DModel(
                in_channels=16,
                num_layers=2,
                num_single_layers=2,
                attention_head_dim=16,
                num_attention_heads=4,
                joint_attention_dim=96,
                timestep_guidance_channels=32,
                axes_dims_rope=(4, 4, 4, 4),
                guidance_embeds=False,
            ),
        )
    statistics = pipeline.vae.bn
    generator = torch.Generator().manual_seed(2)
    statistics.running_mean.copy_(0.3 * torch.randn(16, generator=generator))
    statistics.running_var.copy_(0.5 + torch.rand(16, generator=generator))
    _save(pipeline, folder)


def _qwen_tokenizer() -> Any:
    """One token a byte, with the marks that the chat template is written in."""
    letters = [token for token in shipped().ids if len(token) == 1]
    marks = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>"]
    found = _transformers().Qwen2Tokenizer(
        vocab={token: number for number, token in enumerate(letters)}, merges=[], pad_token=marks[0]
    )
    found.add_tokens(marks, special_tokens=True)
    found.chat_template = (
        "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
        "{% if add_generation_prompt %}<|im_start|>assistant\n<think>\n\n</think>\n\n{% endif %}"
    )
    return found


def _stable_diffusion(folder: Path, like: Shapes, *, act: str, pad: str, prediction: str, linear: bool) -> None:
    diffusers = _diffusers()
    with _random():
        pipeline = diffusers.StableDiffusionPipeline(
            vae=diffusers.AutoencoderKL(**like.vae, latent_channels=4),
            text_encoder=_tower(like, act=act),
            tokenizer=_tokenizer(pad),
            unet=diffusers.UNet2DConditionModel(**_unet(like, cross=like.tower, linear=linear)),
            scheduler=diffusers.DDIMScheduler(
                **NOISE, prediction_type=prediction, clip_sample=False, set_alpha_to_one=False, steps_offset=1
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    _save(pipeline, folder)


def _unet(like: Shapes, *, cross: int, linear: bool) -> dict[str, Any]:
    return {
        "sample_size": 8,
        "block_out_channels": (32, 64),
        "layers_per_block": 2,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "cross_attention_dim": cross,
        "attention_head_dim": like.heads,
        "norm_num_groups": like.groups,
        "use_linear_projection": linear,
    }


def _tower(like: Shapes, *, act: str, width: int | None = None, projected: int | None = None) -> Any:
    transformers = _transformers()
    width = width or like.tower
    config = transformers.CLIPTextConfig(
        vocab_size=len(shipped().ids),
        hidden_size=width,
        intermediate_size=2 * width,
        num_attention_heads=like.tower_heads,
        num_hidden_layers=3,
        projection_dim=projected or width,
        hidden_act=act,
    )
    with _random():
        kind = transformers.CLIPTextModelWithProjection if projected else transformers.CLIPTextModel
        return kind(config)


def _tokenizer(pad: str) -> Any:
    transformers = _transformers()
    known = shipped()
    return transformers.CLIPTokenizer(
        vocab=dict(known.ids), merges=list(known.merges), pad_token=pad, model_max_length=known.length
    )


@contextmanager
def _random() -> Any:
    """Always the same weights, whatever was drawn before."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@torch.no_grad()
def _save(pipeline: Any, folder: Path) -> None:
    """Write the pipeline, every weight of it stirred: norms at one and biases at zero would hide a swap."""
    generator = torch.Generator().manual_seed(1)
    for part in pipeline.components.values():
        for parameter in part.parameters() if isinstance(part, nn.Module) else ():
            parameter.add_(0.03 * torch.randn(parameter.shape, generator=generator))
    pipeline.save_pretrained(folder)


def _diffusers() -> Any:
    import diffusers

    return diffusers


def _transformers() -> Any:
    import transformers

    return transformers


CHECKPOINTS: dict[str, Callable[[Path], None]] = {
    "sd1": stable_diffusion_1,
    "sd2": stable_diffusion_2,
    "sdxl": stable_diffusion_xl,
    "flux2-klein": flux2_klein,
}
SHAPED: dict[str, Callable[[Path], None]] = {
    "sd1-shapes": partial(stable_diffusion_1, like=replace(ONE_FILE, heads=8)),
    "sd2-shapes": partial(stable_diffusion_2, like=ONE_FILE),
    "sdxl-shapes": partial(stable_diffusion_xl, like=ONE_FILE),
}
"""The same architectures, whose weights may also lie in one file."""
