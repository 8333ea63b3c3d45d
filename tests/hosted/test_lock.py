"""The pixel lock on what providers do to a picture: they move it, shift its colours, and give it in another size."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PIL import Image
from tests.hosted.fakes import FAKES, Fake

from triptych.core.errors import ContentRefused, InvalidRequest
from triptych.editing import verify
from triptych.hosted.account import Account
from triptych.hosted.edits import edit

MODEL = "bfl/flux-2-pro"
COARSE = np.random.default_rng(5).integers(0, 255, (32, 40, 3), np.uint8)
SOURCE = np.asarray(Image.fromarray(COARSE).resize((320, 256), Image.Resampling.BICUBIC))
MASK = np.zeros((256, 320), np.bool_)
MASK[80:170, 110:220] = True
RED = (220, 20, 20)


@pytest.fixture
def fake() -> Iterator[Fake]:
    with FAKES["bfl"]() as running:
        running.side = 0
        yield running


def gives_back(fake: Fake, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Let the fake answer an edit with the picture that was sent, a red box in it, changed as providers do."""

    def paint(prompt: str, size: tuple[int, int], index: int) -> np.ndarray:
        import base64
        import io

        body = fake.asked[0][2]
        sent = np.array(Image.open(io.BytesIO(base64.b64decode(body["input_image"]))))
        height, width = sent.shape[:2]
        sent[int(height * 0.36) : int(height * 0.62), int(width * 0.38) : int(width * 0.65)] = RED
        return change(sent)

    fake.paint = paint


def changed_outside(result: np.ndarray) -> int:
    return int((np.abs(result.astype(int) - SOURCE).max(axis=2) > 0)[~MASK].sum())


@pytest.mark.parametrize("lock", [1.0, 0.75, 0.5, 0.25, 0.0])
def test_every_position_of_the_dial(fake: Fake, account_of: Callable[[Fake], Account], lock: float) -> None:
    if lock:
        gives_back(fake, lambda sent: np.roll(sent, (3, -2), axis=(0, 1)))
    account = account_of(fake)
    result = edit(SOURCE, "a red box", mask=MASK, lock=lock, model=MODEL, account=account, seed=1)
    assert result.image.pixels.shape == SOURCE.shape
    assert (changed_outside(result.image.pixels) == 0) == (lock == 1)
    assert fake.bills == 1
    sent = fake.asked[0][2]
    assert "input_image" in sent
    assert ("Edit picture 1" in sent["prompt"]) == (lock > 0)
    assert ("is a reference" in sent["prompt"]) == (lock == 0)


def test_a_moved_and_tinted_answer_is_laid_over_the_original(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    def spoil(sent: np.ndarray) -> np.ndarray:
        moved = np.roll(sent, (4, -6), axis=(0, 1)).astype(float)
        tinted = moved * (0.92, 0.97, 1.0) + (6, 2, 0)
        small = Image.fromarray(np.rint(tinted).clip(0, 255).astype(np.uint8))
        return np.asarray(small.resize((sent.shape[1] * 3 // 4, sent.shape[0] * 3 // 4), Image.Resampling.LANCZOS))

    gives_back(fake, spoil)
    result = edit(SOURCE, "a red box", mask=MASK, lock=1.0, model=MODEL, account=account_of(fake))
    returned = result.returned
    assert returned is not None
    assert returned.shift == pytest.approx((-6, 4), abs=0.3)
    assert returned.gain == pytest.approx((1 / 0.92, 1 / 0.97, 1), abs=0.03)
    assert returned.after < returned.before / 3
    assert returned.changed < 0.05
    assert changed_outside(result.image.pixels) == 0
    inside = result.image.pixels[110:140, 150:180].reshape(-1, 3).mean(axis=0)
    assert np.abs(inside - RED).max() < 14  # the red is the red that was painted, not a tinted one
    report = verify.proved(SOURCE, result.image.encode("PNG"), MASK)
    assert report.outside_changed_pixels == 0


def test_transparency_and_profile_stay(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    source = np.dstack([SOURCE, np.full((256, 320), 255, np.uint8)])
    source[:20, :, 3] = 0
    result = edit(source, "a red box", mask=MASK, lock=1.0, model=MODEL, account=account_of(fake), profile=b"a profile")
    assert result.image.profile == b"a profile"
    assert np.array_equal(result.image.pixels[:, :, 3], source[:, :, 3])
    assert np.array_equal(result.image.pixels[~MASK], source[~MASK])


def test_a_refused_edit_gives_no_picture(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    fake.mode = "moderated"
    with pytest.raises(ContentRefused):
        edit(SOURCE, "a red box", mask=MASK, lock=1.0, model=MODEL, account=account_of(fake))


def test_what_no_edit_can_be(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    account = account_of(fake)
    for fields, parameter in (({"n": 2}, "n"), ({"width": 64, "height": 64}, "size"), ({"steps": 4}, "steps")):
        with pytest.raises(InvalidRequest) as refused:
            edit(SOURCE, "a red box", mask=MASK, lock=1.0, model=MODEL, account=account, **fields)
        assert refused.value.parameter == parameter
    with pytest.raises(InvalidRequest, match="takes no picture"):
        edit(SOURCE, "a box", mask=MASK, lock=1.0, model="google/imagen-4", account=account)
    assert not fake.asked


def test_the_report_is_in_the_recipe(fake: Fake, account_of: Callable[[Fake], Account]) -> None:
    result = edit(SOURCE, "a red box", mask=MASK, lock=1.0, model=MODEL, account=account_of(fake))
    step = result.image.recipe.step
    assert step is not None
    assert step.report["outside_changed_pixels"] == 0
    assert result.returned is not None
    assert step.report["returned"] == result.returned.as_json()
