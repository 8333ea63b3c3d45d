"""Depth and pose of photographs by networks of a local folder, here tiny ones with untrained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from triptych.control.photos import check_folder, depth_of_photo, pose_of_photo
from triptych.core.errors import FileProblem

PICTURE = np.random.default_rng(0).integers(0, 255, (60, 90, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def depth_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    backbone = transformers.Dinov2Config(
        hidden_size=16, num_hidden_layers=4, num_attention_heads=2, image_size=518, patch_size=14,
        out_indices=[1, 2, 3, 4], reshape_hidden_states=False, apply_layernorm=True,
    )  # fmt: skip
    config = transformers.DepthAnythingConfig(
        backbone_config=backbone, reassemble_hidden_size=16, neck_hidden_sizes=[8, 8, 8, 8], fusion_hidden_size=8,
        head_hidden_size=8, patch_size=14,
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("depth")
    model = transformers.DepthAnythingForDepthEstimation(config)
    with torch.no_grad():  # what transformers starts from is so small that the depth would be flat
        for parameter in model.parameters():
            parameter.normal_(std=0.2, generator=torch.Generator().manual_seed(parameter.numel()))
        model.head.conv3.bias.fill_(1.0)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pose_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    transformers = pytest.importorskip("transformers")
    backbone = transformers.VitPoseBackboneConfig(
        hidden_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=[256, 192], patch_size=[16, 16],
        out_indices=[2], num_experts=1, part_features=0,
    )  # fmt: skip
    labels = {i: str(i) for i in range(17)}
    config = transformers.VitPoseConfig(backbone_config=backbone, id2label=labels, use_simple_decoder=True)
    folder = tmp_path_factory.mktemp("pose")
    model = transformers.VitPoseForPoseEstimation(config)
    model.head.conv.bias.data += 1.0  # so that an untrained network sees all its points
    model.save_pretrained(folder)
    return folder


@pytest.mark.slow
def test_depth_is_grey_over_the_whole_range_at_the_picture_s_size(depth_folder: Path) -> None:
    made = depth_of_photo(PICTURE, depth_folder)
    assert made.shape == PICTURE.shape
    assert (made[..., 0] == made[..., 2]).all()
    assert made.min() == 0
    assert made.max() == 255


@pytest.mark.slow
def test_metric_depth_is_turned_so_that_near_is_bright(depth_folder: Path, tmp_path: Path) -> None:
    import json
    import shutil

    shutil.copytree(depth_folder, tmp_path / "metric")
    path = tmp_path / "metric" / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps(config | {"depth_estimation_type": "metric", "max_depth": 20}))
    relative, metric = depth_of_photo(PICTURE, depth_folder), depth_of_photo(PICTURE, tmp_path / "metric")
    a, b = relative[..., 0].ravel().astype(float), metric[..., 0].ravel().astype(float)
    assert np.corrcoef(a, b)[0, 1] < 0


def test_pose_draws_a_skeleton_inside_the_picture(pose_folder: Path) -> None:
    made = pose_of_photo(PICTURE, pose_folder)
    assert made.shape == PICTURE.shape
    assert made.any()


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileProblem, match=r"there is no folder .*; depth needs a depth-estimation model"):
        check_folder("depth", tmp_path / "none")
    with pytest.raises(FileProblem, match=r"holds no config.json with \*.safetensors; pose needs a ViTPose model"):
        check_folder("pose", tmp_path)
    (tmp_path / "config.json").write_text("{")
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(FileProblem, match="is not JSON"):
        check_folder("pose", tmp_path)


def test_a_folder_of_another_model_is_a_sentence(depth_folder: Path, pose_folder: Path) -> None:
    with pytest.raises(FileProblem, match="cannot be used for depth"):
        depth_of_photo(PICTURE, pose_folder)
