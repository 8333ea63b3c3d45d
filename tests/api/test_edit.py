"""Edits through the Python door over tiny models: the lock on every family, notes, refusals, the same edit again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image as PillowImage
from PIL import ImageCms

from triptych import api
from triptych.api import seeing
from triptych.api.edit import edit
from triptych.core.asset import AssetStore, assets_in
from triptych.core.errors import FileProblem, InvalidRequest, TriptychError
from triptych.core.plan import Plan, PlanObject
from triptych.core.readers import read_recipe
from triptych.evals.reading import Detection, Reading
from triptych.library import Library

MODELS = ("flow", "diffusion", "tokens")
READING = Reading(
    (
        Detection("circle", 0.9, (0.1, 0.1, 0.4, 0.4), {"blue": 1.0}),
        Detection("hexagon", 0.8, (0.6, 0.6, 0.9, 0.9), {"yellow": 1.0}),
        Detection("ring", 0.1, (0.0, 0.0, 0.2, 0.2), {"red": 1.0}),
    ),
    {"meadow": 0.9, "night": 0.1},
)


@pytest.fixture(autouse=True)
def models(tiny_library: Library, monkeypatch: pytest.MonkeyPatch) -> Library:
    """The tiny models and a reader that always sees the same, in the place of the built-in ones."""
    monkeypatch.setattr("triptych.api.results.library", lambda: tiny_library)
    reader = SimpleNamespace(read=lambda pictures: [READING for _ in pictures])
    monkeypatch.setattr(seeing, "readers", lambda: reader)
    return tiny_library


def quick(model: str) -> dict[str, int]:
    return {} if model == "tokens" else {"steps": 2}


def picture(width: int = 64, height: int = 64, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (height, width, channels), dtype=np.uint8)


def texts(result: object) -> str:
    return " | ".join(note.text for note in result.notes)  # type: ignore[attr-defined]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("size", [(64, 64), (150, 90), (20, 33)])
def test_every_family_holds_the_lock_at_any_size(model: str, size: tuple[int, int]) -> None:
    source = picture(*size)
    result = edit(source, "a red circle", mask="0.3,0.2,0.4,0.5", model=model, seed=1, **quick(model))
    assert result.image.pixels.shape == source.shape
    assert np.array_equal(result.image.pixels[~result.mask], source[~result.mask])
    assert result.report.outside_changed_pixels == 0
    assert result.report.outside_total_pixels == int((~result.mask).sum())
    assert result.report.inside_changed_pixels > 0
    assert (result.model, result.image.seed) == (model, 1)


@pytest.mark.parametrize("lock", [1.0, 0.75, 0.3, 0.0])
@pytest.mark.parametrize("model", MODELS)
def test_an_edit_is_made_again_from_its_file(model: str, lock: float, tmp_path: Path) -> None:
    result = edit(picture(90, 70), "a star", mask="10,10,30,30", lock=lock, model=model, seed=3, **quick(model))
    path = result.save(tmp_path / "edit.png")
    home = tmp_path / "home"
    for asset in assets_in(result.image.recipe):
        AssetStore(home / "inputs").put(asset)  # type: ignore[arg-type]
    assert api.replay(path, home=home).verdict == "exact"
    recipe = read_recipe(path)
    assert recipe.step is not None
    assert recipe.step.op == "edit"
    assert recipe.step.report["outside_total_pixels"] == 90 * 70 - 900
    with pytest.raises(FileProblem, match="not at hand"):
        api.replay(path, home=tmp_path / "elsewhere")


def test_the_same_seed_is_the_same_edit_and_a_new_one_is_kept() -> None:
    first, again = (edit(picture(), "a star", mask="5,5,30,30", seed=4, steps=1) for _ in range(2))
    assert np.array_equal(first.image.pixels, again.image.pixels)
    drawn = edit(picture(), "a star", mask="5,5,30,30", steps=1)
    same = edit(picture(), "a star", mask="5,5,30,30", steps=1, seed=drawn.image.seed)
    assert np.array_equal(drawn.image.pixels, same.image.pixels)


def test_transparency_stays_and_is_told() -> None:
    source = picture(64, 64, 4)
    source[10:20, 10:20, 3] = 0
    result = edit(source, "a star", mask="5,5,30,30", seed=1, steps=1)
    assert np.array_equal(result.image.pixels[..., 3], source[..., 3])
    assert "is transparent where it is edited, and stays so" in texts(result)


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_a_file_with_transparency_is_proved(suffix: str, tmp_path: Path) -> None:
    source = picture(64, 64, 4)
    source[:, :9, 3] = 0
    result = edit(source, "a star", mask="5,5,30,30", seed=1, steps=1)
    with PillowImage.open(result.save(tmp_path / f"a{suffix}")) as written:
        assert np.array_equal(np.asarray(written)[~result.mask], source[~result.mask])


def test_a_file_that_loses_pixels_or_transparency_is_refused(tmp_path: Path) -> None:
    locked = edit(picture(), "a star", mask="5,5,30,30", seed=1, steps=1)
    with pytest.raises(InvalidRequest, match="out: JPEG loses pixels"):
        locked.save(tmp_path / "a.jpg")
    freer = edit(picture(), "a star", mask="5,5,30,30", lock=0.6, seed=1, steps=1)
    assert freer.save(tmp_path / "b.jpg").exists()
    clear = edit(picture(64, 64, 4), "a star", mask="5,5,30,30", lock=0.6, seed=1, steps=1)
    with pytest.raises(InvalidRequest, match="JPEG knows no transparency"):
        clear.save(tmp_path / "c.jpg")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.jpg"]


def test_a_lock_that_does_not_hold_writes_nothing(tmp_path: Path) -> None:
    result = edit(picture(), "a star", mask="5,5,30,30", seed=1, steps=1)
    result.image.pixels[0, 0] ^= 1
    with pytest.raises(TriptychError, match="the lock does not hold: 1 of"):
        result.save(tmp_path / "a.png")
    assert not list(tmp_path.iterdir())


def test_the_plan_holds_what_is_seen_around_and_what_is_asked() -> None:
    result = edit(picture(), "a red square", mask="0,32,30,30", seed=1, steps=1)
    assert result.image.plan is not None
    nouns = [item.noun for item in result.image.plan.objects]
    assert nouns[:2] == ["circle", "hexagon"]
    assert "ring" not in nouns  # seen, but not surely
    assert result.image.plan.background == "meadow"
    covered = edit(picture(), "a red square", mask="the hexagon", seed=1, steps=1)
    assert covered.image.plan is not None
    assert "hexagon" not in [item.noun for item in covered.image.plan.objects][:1]
    assert "is a yellow hexagon" in texts(covered)


def test_nothing_is_what_goes_on_around() -> None:
    result = edit(picture(), "Just the background.", mask="0.05,0.05,0.4,0.4", model="flow", seed=1, **quick("flow"))
    plan = result.request.plan
    assert plan is not None
    assert [item.noun for item in plan.objects] == ["hexagon"]
    assert "background" not in result.request.prompt
    assert "hexagon" in result.request.prompt
    assert "nothing new" in texts(result)
    assert result.report.outside_changed_pixels == 0


def test_the_recipe_knows_better_than_the_reader_unless_told_afresh(tmp_path: Path) -> None:
    plan = Plan(background="night", objects=(PlanObject(noun="hexagon", colour="red", box=(0.5, 0.5, 0.9, 0.9)),))
    made = api.generate("a hexagon", seed=1, steps=1, plan=plan).images[0]
    path = made.save(tmp_path / "made.png")
    for source in (made, path):
        known = edit(source, "a star", mask="2,2,20,20", seed=1, steps=1).image.plan
        assert known is not None
        assert (known.background, known.objects[0].colour) == ("night", "red")
        afresh = edit(source, "a star", mask="2,2,20,20", seed=1, steps=1, fresh=True).image.plan
        assert afresh is not None
        assert (afresh.background, afresh.objects[0].colour) == ("meadow", None)
    altered = made.pixels.copy()
    altered[0, 0] ^= 1

    save = PillowImage.fromarray(altered)
    save.save(tmp_path / "altered.png")
    seen = edit(tmp_path / "altered.png", "a star", mask="2,2,20,20", seed=1, steps=1).image.plan
    assert seen is not None
    assert seen.background == "meadow"


def test_without_readers_the_words_alone_are_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise FileProblem("there are no readers")

    monkeypatch.setattr(seeing, "readers", missing)
    result = edit(picture(), "a star", mask="2,2,20,20", seed=1, steps=1)
    assert "nobody can look at the picture: there are no readers" in texts(result)
    assert result.report.outside_changed_pixels == 0
    with pytest.raises(InvalidRequest, match="mask: words need somebody who looks"):
        edit(picture(), "a star", mask="the hexagon", seed=1, steps=1)


def test_masks_come_as_files_arrays_boxes_and_words(tmp_path: Path) -> None:
    mask = np.zeros((64, 64), np.uint8)
    mask[5:35, 5:35] = 255
    grey = tmp_path / "mask.png"
    PillowImage.fromarray(mask).save(grey)
    clear = np.dstack([np.zeros((64, 64, 3), np.uint8), 255 - mask])
    PillowImage.fromarray(clear).save(tmp_path / "clear.png")
    deep = tmp_path / "deep.png"
    PillowImage.fromarray(mask.astype(np.uint16) * 257).save(deep)
    masks = (mask, mask > 0, grey, str(grey), tmp_path / "clear.png", deep, "5,5,30,30")
    results = [edit(picture(), "a star", mask=one, seed=1, steps=1) for one in masks]
    for result in results:
        assert np.array_equal(result.mask, mask > 0)
        assert np.array_equal(result.image.pixels, results[0].image.pixels)
    assert "transparency is the map" in texts(results[4])
    assert "from 16 bits to 8" in texts(results[5])


def test_parts_far_apart_are_painted_one_by_one() -> None:
    source = picture(400, 300)
    mask = np.zeros((300, 400), bool)
    mask[10:30, 10:30] = mask[260:290, 360:390] = True
    result = edit(source, "a star", mask=mask, seed=1, steps=1)
    assert "falls into 2 parts" in texts(result)
    assert (result.image.pixels != source).any(axis=2)[10:30, 10:30].mean() > 0.9
    assert (result.image.pixels != source).any(axis=2)[260:290, 360:390].mean() > 0.9
    assert result.report.outside_changed_pixels == 0


def test_the_dial_goes_from_nothing_to_everything() -> None:
    source = np.full((64, 64, 3), 120, np.uint8)
    shares = []
    for lock in (1.0, 0.9, 0.7, 0.4, 0.0):
        report = edit(source, "a star", mask="2,2,16,16", lock=lock, seed=1, steps=4).report
        shares.append(report.outside_changed_pixels / report.outside_total_pixels)
    assert shares[0] == 0
    assert shares == sorted(shares)
    assert shares[-1] > 0.9


def test_the_whole_picture_may_be_selected_or_nothing_named() -> None:
    whole = edit(picture(), "a star", mask="0,0,64,64", seed=1, steps=1)
    assert "nothing is kept" in texts(whole)
    assert whole.report.outside_total_pixels == 0
    fresh = edit(picture(), "a star", lock=0, seed=1, steps=1)
    assert fresh.mask.all()
    assert "takes nobody's identity or style from a picture; it paints from what is seen" in texts(fresh)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"mask": np.zeros((64, 64), np.uint8)}, "mask: selects nothing"),
        ({"mask": np.zeros((63, 64), np.uint8)}, "mask: is 64x63, but the picture is 64x64"),
        ({"mask": "0,0,64,64", "invert": True}, "mask: selects everything, and inverted nothing"),
        ({"mask": "the fox"}, "mask: 'the fox' is not found in the picture; what is seen there: a blue circle"),
        ({"mask": "5,5,30,30", "lock": 1.5}, "lock: 1.5 is not allowed"),
        ({"mask": "5,5,30,30", "feather": -3}, "feather: -3 is not allowed"),
        ({"mask": "5,5,30,30", "grow": 999}, "grow: 999 is not allowed"),
        ({"mask": "5,5,30,30", "strength": 0.0}, "strength: 0.0 is not allowed"),
        ({"mask": "5,5,30,30", "n": 2}, "n: 2 is not allowed"),
        ({"mask": "5,5,30,30", "width": 64, "height": 64}, "size: not allowed for an edit"),
        ({"mask": "5,5,30,30", "steps": 0}, "steps: 0 is not allowed"),
        ({"mask": "5,5,30,30", "temperature": 1.0}, "temperature"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(fields: dict[str, object], sentence: str) -> None:
    with pytest.raises(InvalidRequest, match=sentence):
        edit(picture(), "a star", **{"seed": 1, "steps": 1, **fields})  # type: ignore[arg-type]


def test_no_instruction_and_arrays_that_are_no_picture_are_refused() -> None:
    with pytest.raises(InvalidRequest, match="instruction: is empty"):
        edit(picture(), "  ", mask="5,5,30,30")
    with pytest.raises(InvalidRequest, match="image: is an array"):
        edit(picture()[..., 0], "a star", mask="5,5,30,30")
    with pytest.raises(FileProblem, match=r"missing\.png"):
        edit("missing.png", "a star", mask="5,5,30,30")


@pytest.mark.parametrize(
    "change", [{"lock": None}, {"feather": "x"}, {"windows": [{"size": [0]}]}, {"windows": 3}, {"lock": 7}]
)
def test_a_damaged_recipe_is_told(change: dict[str, object]) -> None:
    from triptych.api.edit import again

    recipe = edit(picture(), "a star", mask="5,5,30,30", seed=1, steps=1).image.recipe
    assert recipe.step is not None
    step = recipe.step.model_copy(update={"settings": {**recipe.step.settings, **change}})
    with pytest.raises(TriptychError, match=r"damaged|not allowed"):
        again(recipe.model_copy(update={"step": step}))


@pytest.mark.parametrize("suffix", [".png", ".webp"])
def test_the_colour_profile_of_a_photograph_is_kept(suffix: str, tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    PillowImage.fromarray(picture()).save(tmp_path / "in.png", icc_profile=profile)
    result = edit(tmp_path / "in.png", "a star", mask="5,5,30,30", seed=1, steps=1)
    with PillowImage.open(result.save(tmp_path / f"out{suffix}")) as written:
        assert written.info["icc_profile"] == profile
    plain = edit(picture(), "a star", mask="5,5,30,30", seed=1, steps=1)
    with PillowImage.open(plain.save(tmp_path / f"plain{suffix}")) as written:
        assert not written.info.get("icc_profile")
