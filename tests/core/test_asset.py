from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from triptych.core.asset import Asset, AssetStore, FileAsset, assets_in
from triptych.core.errors import FileProblem
from triptych.core.inputs import Reference
from triptych.core.request import Request

RED = np.full((4, 6, 3), (200, 10, 10), np.uint8)


def forgotten(asset: Asset) -> Asset:
    """As it comes out of a recipe."""
    return Asset.model_validate_json(asset.model_dump_json())


def test_the_content_is_the_identity() -> None:
    one, two = Asset.of(RED, "a.png"), Asset.of(RED.copy(), "b.png")
    assert one == two
    assert hash(one) == hash(two)
    assert Asset.of(RED[:, ::-1] // 2) != one
    assert (one.width, one.height, one.channels) == (6, 4, 3)


def test_json_holds_no_pixels_and_no_path() -> None:
    data = Asset.of(RED, "a.png").model_dump()
    assert set(data) == {"sha256", "name", "width", "height", "channels"}
    with pytest.raises(FileProblem, match=r"'a.png' \(6x4.*is not at hand"):
        _ = forgotten(Asset.of(RED, "a.png")).pixels


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_store_gives_back_the_very_pixels(tmp_path: Path, channels: int) -> None:
    pixels = np.random.default_rng(channels).integers(0, 256, (9, 7, channels), dtype=np.uint8)
    asset = Asset.of(pixels, "noise")
    store = AssetStore(tmp_path / "inputs")
    assert store.put(asset) == store.put(asset)
    again = forgotten(asset)
    store.fill(again)
    assert np.array_equal(again.pixels, asset.pixels)
    assert again.pixels.shape == ((9, 7) if channels == 1 else (9, 7, channels))


def test_an_altered_or_missing_input_is_told(tmp_path: Path) -> None:
    store = AssetStore(tmp_path)
    asset = Asset.of(RED, "a.png")
    with pytest.raises(FileProblem, match="not at hand"):
        store.fill(forgotten(asset))
    path = store.put(asset)
    path.write_bytes(store.put(Asset.of(RED // 2)).read_bytes())
    with pytest.raises(FileProblem, match="not the ones that went in"):
        store.fill(forgotten(asset))
    path.write_bytes(b"no picture")
    with pytest.raises(FileProblem, match="is damaged"):
        store.fill(forgotten(asset))


def test_transparency_lies_over_white_and_maps_are_grey() -> None:
    clear = np.zeros((1, 2, 4), np.uint8)
    clear[0, 1] = (10, 20, 30, 255)
    assert Asset.of(clear).rgb.tolist() == [[[255, 255, 255], [10, 20, 30]]]
    assert Asset.of(np.array([[7]], np.uint8)).rgb.tolist() == [[[7, 7, 7]]]


def test_every_asset_of_a_request_is_found() -> None:
    one, two = Asset.of(RED), Asset.of(RED // 2)
    request = Request(prompt="a", init=one, references=(Reference(asset=two),))
    assert request.assets == [one, two]
    assert assets_in(Request(prompt="a")) == []
    assert Request.model_validate(request.model_dump(mode="json")) == request


def test_a_file_is_known_by_its_hash(tmp_path: Path) -> None:
    path = tmp_path / "ink.safetensors"
    path.write_bytes(b"abc")
    asset = FileAsset.of(path)
    assert asset.path == path
    again = FileAsset.model_validate(asset.model_dump())
    assert again == asset
    with pytest.raises(FileProblem, match=r"'ink.safetensors'.*is not at hand"):
        _ = again.path
    other = tmp_path / "other.safetensors"
    other.write_bytes(b"abd")
    with pytest.raises(FileProblem, match="is not the file"):
        again.fill(other)
    again.fill(path)
    assert again.path == path
