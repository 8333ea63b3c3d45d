"""The models that are there, read from their cards: what can be refused is refused here, before torch is imported."""

from __future__ import annotations

from triptych.cli.settings import data_folder
from triptych.core import contract
from triptych.core import registry as models
from triptych.core.errors import InvalidRequest
from triptych.core.request import Request
from triptych.open_weights import installed


def registry(*, hosted: bool = False) -> models.Registry:
    """Every model that ships with the package or was added, and checkpoints by path; hosted: and those of providers."""
    installed.look_in(data_folder(), paths=True)
    found = installed.registry()
    if hosted:
        from triptych.hosted.catalogue import register

        register(found)
    return found


def is_hosted(name: str) -> bool:
    """Whether a model is one of a provider's."""
    if "/" not in name or installed.is_path(name):
        return False
    from triptych.hosted import catalogue

    return catalogue.is_hosted(name)


def check_model(name: str) -> None:
    """Raise `FileProblem` for an unknown model, or one whose weights are missing or truncated; `InvalidRequest` for a
    hosted one, which only a few commands take.

    Hashes are left to the loading, which reads the files anyway.
    """
    if is_hosted(name):
        raise InvalidRequest(
            "model", f"{name} is hosted, and this needs a model that paints here (see triptych models)"
        )
    known = registry()
    known.capabilities(name)
    known.check(name, hashes=False)


def check(request: Request, *, hosted: bool = False) -> None:
    """Raise what the model of the request would refuse; what it would only note is told with the result.

    hosted: whether a hosted model will do.
    """
    if not (hosted and is_hosted(request.model)):
        check_model(request.model)
    contract.resolve(request, registry(hosted=hosted).capabilities(request.model), name=request.model)
