"""Depth and pose of photographs, by networks that a person has in a local folder. Nothing is ever downloaded.

The networks are those of the `open` extra (transformers): any depth-estimation checkpoint such as Depth-Anything or
DPT, and ViTPose for the pose of one person. Pictures are prepared here, since transformers' own processors need
torchvision.
This is the one file of the package that imports transformers, and only when it is called.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from triptych.core.errors import FileProblem
from triptych.core.files import read_bytes

ByteImage = npt.NDArray[np.uint8]

NEEDS = {
    "depth": "a depth-estimation model, such as Depth-Anything-V2-Small",
    "pose": "a ViTPose model, such as vitpose-base-simple",
}
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
DEPTH_SIDE, DEPTH_PATCH = 518, 14
SURE = 0.3
"""Height of a heat map from which on its point counts as seen."""
LIMBS = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (7, 9), (6, 8), (8, 10),
    (0, 1), (0, 2), (1, 3), (2, 4), (0, 5), (0, 6),
)  # fmt: skip
"""COCO's seventeen keypoints as lines (Lin et al. 2014)."""


def check_folder(kind: str, folder: Path) -> dict[str, Any]:
    """The configuration of a model folder; `FileProblem` says what is missing."""
    if not folder.is_dir():
        raise FileProblem(f"there is no folder {folder}; {kind} needs {NEEDS[kind]} in it")
    if not (folder / "config.json").is_file() or not list(folder.glob("*.safetensors")):
        raise FileProblem(f"{folder} holds no config.json with *.safetensors; {kind} needs {NEEDS[kind]} there")
    try:
        return json.loads(read_bytes(folder / "config.json", 2**20))
    except (ValueError, RecursionError) as error:
        raise FileProblem(f"{folder / 'config.json'} is not JSON: {error}") from None


def depth_of_photo(pixels: ByteImage, folder: Path) -> ByteImage:
    """Nearer is brighter, (H, W, 3), over the range of the picture. `FileProblem` if the model cannot be used."""
    import torch
    import torch.nn.functional as F

    config = check_folder("depth", folder)
    model = _loaded("depth", folder, "AutoModelForDepthEstimation")
    H, W = pixels.shape[:2]
    scale = DEPTH_SIDE / min(H, W)
    size = [max(round(side * scale / DEPTH_PATCH), 1) * DEPTH_PATCH for side in (W, H)]
    with torch.inference_mode():
        found = model(pixel_values=_prepared(pixels, (size[0], size[1]))).predicted_depth
        found = F.interpolate(found.reshape(1, 1, *found.shape[-2:]).float(), (H, W), mode="bicubic")[0, 0].numpy()
    if config.get("depth_estimation_type") == "metric" or config.get("model_type") in ("glpn", "zoedepth"):
        found = 1 / np.maximum(found, 1e-3)  # metres away; the others say how near
    low, high = float(found.min()), float(found.max())
    grey = ((found - low) / max(high - low, 1e-6) * 255).round().clip(0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=-1)


def pose_of_photo(pixels: ByteImage, folder: Path) -> ByteImage:
    """The skeleton of the one person that the picture shows, on black, (H, W, 3)."""
    import torch

    config = check_folder("pose", folder)
    model = _loaded("pose", folder, "VitPoseForPoseEstimation")
    height, width = (config.get("backbone_config") or {}).get("image_size", (256, 192))
    H, W = pixels.shape[:2]
    scale = min(width / W, height / H)
    inner = (max(round(W * scale), 1), max(round(H * scale), 1))
    board = np.zeros((height, width, 3), np.uint8)
    left, top = (width - inner[0]) // 2, (height - inner[1]) // 2
    board[top : top + inner[1], left : left + inner[0]] = np.asarray(Image.fromarray(pixels).resize(inner))
    with torch.inference_mode():
        heat = model(pixel_values=_prepared(board, (width, height))).heatmaps[0].numpy()
    points: dict[int, tuple[float, float]] = {}
    for number, each in enumerate(heat):
        y, x = np.unravel_index(int(each.argmax()), each.shape)
        if each[y, x] >= SURE:
            across, down = (x + 0.5) * width / each.shape[1], (y + 0.5) * height / each.shape[0]
            points[number] = ((across - left) / scale, (down - top) / scale)
    return _skeleton(points, (W, H))


def _skeleton(points: dict[int, tuple[float, float]], size: tuple[int, int]) -> ByteImage:
    canvas = Image.new("RGB", size)
    pen = ImageDraw.Draw(canvas)
    stroke = max(min(size) // 100, 2)
    for number, (a, b) in enumerate(LIMBS):
        if a in points and b in points:
            hue = Image.new("HSV", (1, 1), (number * 255 // len(LIMBS), 255, 255)).convert("RGB").getpixel((0, 0))
            pen.line([points[a], points[b]], fill=hue, width=stroke)  # type: ignore[arg-type]
    for x, y in points.values():
        pen.ellipse((x - stroke, y - stroke, x + stroke, y + stroke), fill=(255, 255, 255))
    return np.asarray(canvas)


def _prepared(pixels: ByteImage, size: tuple[int, int]) -> Any:
    """(1, 3, H, W) float32, scaled to size (width, height) and normalised as ImageNet is."""
    import torch

    scaled = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC), np.float32) / 255
    normal = (scaled - np.array(MEAN, np.float32)) / np.array(STD, np.float32)
    return torch.from_numpy(normal).permute(2, 0, 1)[None]


def _loaded(kind: str, folder: Path, name: str) -> Any:
    try:
        import transformers
        from transformers.utils import logging
    except ImportError:
        raise FileProblem(f"{kind} of a photograph needs transformers: pip install 'triptych[open]'") from None
    logging.disable_progress_bar()
    try:
        return getattr(transformers, name).from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        first = (str(error).splitlines() or [""])[0][:200]
        raise FileProblem(f"{folder} cannot be used for {kind}, which needs {NEEDS[kind]}: {first}") from error
