from __future__ import annotations

import json
from dataclasses import asdict

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from triptych.autoencoders.backbone import patches_of, principal_components
from triptych.autoencoders.kl import Autoencoder, AutoencoderConfig
from triptych.core.errors import InvalidRequest

from .conftest import SMALL, shapes, wake


def threads(count: int, model: Autoencoder, z: Tensor) -> Tensor:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with torch.no_grad():
            return model.decode(z)
    finally:
        torch.set_num_threads(before)


def test_shapes_of_any_multiple_of_eight(autoencoder: Autoencoder) -> None:
    x = shapes(2, 24, 56)
    z = autoencoder.encode(x)
    assert z.shape == (2, 8, 3, 7)
    assert autoencoder.decode(z).shape == x.shape
    assert autoencoder(x).shape == x.shape


@pytest.mark.parametrize("shape", [(1, 3, 60, 64), (1, 1, 64, 64), (3, 64, 64), (1, 3, 0, 64), (0, 3, 64, 64)])
def test_refuses_what_is_not_a_picture(autoencoder: Autoencoder, shape: tuple[int, ...]) -> None:
    with pytest.raises(InvalidRequest, match="multiples of 8") as caught:
        autoencoder.encode(torch.zeros(shape))
    assert caught.value.parameter == "picture"


def test_fresh_model_is_the_best_linear_code(pictures: Tensor) -> None:
    model = Autoencoder(SMALL)
    model.init_from_pca(pictures)
    with torch.no_grad():
        z, reconstruction = model.encode(pictures), model(pictures)
    patches = patches_of(pictures)
    mean, directions, _ = principal_components(patches, SMALL.latent_channels)
    linear = (patches - mean) @ directions.T @ directions + mean
    torch.testing.assert_close(patches_of(reconstruction), linear, atol=2e-4, rtol=0)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(8), atol=1e-3, rtol=0)
    assert z.std((0, 2, 3)).amax() < 1.01


def test_pca_survives_pictures_of_one_colour() -> None:
    model = Autoencoder(SMALL)
    plain = torch.full((2, 3, 16, 16), 0.3)
    model.init_from_pca(plain)
    with torch.no_grad():
        assert (model(plain) - plain).abs().max() < 1e-4


def test_normalisation_gives_unit_variance_and_changes_no_pixel(pictures: Tensor) -> None:
    torch.manual_seed(0)
    model = Autoencoder(SMALL)
    model.init_from_pca(pictures)
    wake(model)
    with torch.no_grad():
        before = model(pictures)
        model.fit_normalisation(pictures, batch_size=5)
        z = model.encode(pictures)
        after = model(pictures)
    torch.testing.assert_close(z.mean((0, 2, 3)), torch.zeros(8), atol=1e-4, rtol=0)
    torch.testing.assert_close(z.std((0, 2, 3)), torch.ones(8), atol=1e-3, rtol=0)
    torch.testing.assert_close(after, before, atol=1e-4, rtol=0)


def test_preview_shows_the_colours(autoencoder: Autoencoder, pictures: Tensor) -> None:
    with torch.no_grad():
        preview = autoencoder.preview(autoencoder.encode(pictures))
    small = F.avg_pool2d(pictures, 8)
    assert preview.shape == small.shape
    assert preview.abs().max() <= 1
    assert (preview - small).square().mean() < 0.05 * small.var()


def test_preview_is_the_least_squares_solution(autoencoder: Autoencoder, pictures: Tensor) -> None:
    with torch.no_grad():
        z = autoencoder.encode(pictures)
    design = torch.cat([z.permute(0, 2, 3, 1).reshape(-1, 8), torch.ones(z[:, 0].numel(), 1)], 1)
    colours = F.avg_pool2d(pictures, 8).permute(0, 2, 3, 1).reshape(-1, 3)
    solution = torch.linalg.lstsq(design.double(), colours.double()).solution.float()
    torch.testing.assert_close(autoencoder.preview_matrix, solution[:-1].T, atol=1e-4, rtol=0)
    torch.testing.assert_close(autoencoder.preview_bias, solution[-1], atol=1e-4, rtol=0)


def test_everything_survives_saving(autoencoder: Autoencoder, pictures: Tensor) -> None:
    other = Autoencoder(SMALL)
    other.load_state_dict(autoencoder.state_dict())
    with torch.no_grad():
        z = autoencoder.encode(pictures)
        assert torch.equal(other.encode(pictures), z)
        assert torch.equal(other.preview(z), autoencoder.preview(z))


@pytest.mark.parametrize("config", [SMALL, AutoencoderConfig()], ids=["small", "built-in"])
def test_same_pixels_alone_and_in_company(config: AutoencoderConfig) -> None:
    torch.manual_seed(0)
    model = Autoencoder(config).eval()
    wake(model)
    generator = torch.Generator().manual_seed(3)
    z = torch.randn(5, config.latent_channels, 16, 16, generator=generator)
    with torch.no_grad():
        together = model.decode(z)
        latents = model.encode(together)
        for i in range(len(z)):
            assert torch.equal(model.decode(z[i : i + 1]), together[i : i + 1])
            assert torch.equal(model.encode(together[i : i + 1]), latents[i : i + 1])


def test_same_pixels_with_one_and_two_threads() -> None:
    torch.manual_seed(0)
    model = Autoencoder().eval()
    wake(model)
    z = torch.randn(2, 16, 16, 16, generator=torch.Generator().manual_seed(3))
    assert torch.equal(threads(1, model, z), threads(2, model, z))


def test_size_of_the_built_in_model() -> None:
    parameters = sum(parameter.numel() for parameter in Autoencoder().parameters())
    assert 2_000_000 < parameters < 3_500_000


def test_configuration_survives_json() -> None:
    assert AutoencoderConfig(**json.loads(json.dumps(asdict(SMALL)))) == SMALL
