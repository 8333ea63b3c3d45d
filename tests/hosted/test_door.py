"""The Python door of hosted models, and what it does not load."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY

from triptych import hosted


def test_every_public_name_is_there() -> None:
    for name in hosted.__all__:
        assert getattr(hosted, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'magic'"):
        _ = hosted.magic


def test_pictures_in_python(tmp_path: Path) -> None:
    with FAKES["openai"]() as fake:
        account = hosted.Account(
            hosted.Ledger(tmp_path / "hosted"), {"openai": hosted.Secret(KEY, "a test")}, {"openai": fake.base}
        )
        result = hosted.generate("a fox", model="openai/gpt-image-2", account=account, max_cost=0.10)
    assert result.images[0].save(tmp_path / "fox.png").exists()
    assert result.cost == pytest.approx(0.07)


def test_the_catalogue_loads_neither_torch_nor_an_http_client() -> None:
    code = (
        "import sys; from triptych.cli.catalogue import registry; registry(hosted=True);"
        "print([name for name in ('torch', 'httpx', 'httpx2', 'openai') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert done.stdout.strip() == "[]"


def test_the_generator_s_secret_never_shows_in_a_repr(account_of: Callable[[Fake], hosted.Account]) -> None:
    with FAKES["openai"]() as fake:
        assert KEY not in repr(account_of(fake))
