"""The models that are there, read from their cards: what can be refused is refused here, before torch is imported."""

from __future__ import annotations

from triptych.core import contract
from triptych.core import registry as models
from triptych.core.request import Request


def registry() -> models.Registry:
    """Every model that ships with the package."""
    return models.Registry().add_folder(models.builtin_folder())


def check_model(name: str) -> None:
    """Raise `FileProblem` for an unknown model, or one whose weights are missing or truncated.

    Hashes are left to the loading, which reads the files anyway.
    """
    known = registry()
    known.capabilities(name)
    known.check(name, hashes=False)


def check(request: Request) -> None:
    """Raise what the model of the request would refuse; what it would only note is told with the result."""
    check_model(request.model)
    contract.resolve(request, registry().capabilities(request.model), name=request.model)
