"""Hosted models at the command line: keys and addresses from the environment, and a question before money is spent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from triptych.core.errors import Cancelled, InvalidRequest
from triptych.core.request import Request

if TYPE_CHECKING:
    from triptych.core.results import Result
    from triptych.editing.result import EditResult
    from triptych.hosted.account import Account

ADDRESSES = {
    "openai": "OPENAI_BASE_URL",
    "google": "GEMINI_BASE_URL",
    "bfl": "BFL_BASE_URL",
    "ark": "ARK_BASE_URL",
    "xai": "XAI_BASE_URL",
    "dashscope": "DASHSCOPE_BASE_URL",
}
CEILING = "TRIPTYCH_MAX_COST"
FOLDER = "hosted"


def account(environment: Mapping[str, str] = os.environ) -> Account:
    """The keys that are there, the addresses that were configured, and the ledger of the data folder."""
    from triptych.cli.settings import data_folder
    from triptych.hosted import keys
    from triptych.hosted.account import Account
    from triptych.hosted.catalogue import PROVIDERS
    from triptych.hosted.ledger import Ledger

    home = data_folder()
    found = {provider.name: keys.find(provider.name, environment, home) for provider in PROVIDERS}
    bases = {name: environment[variable] for name, variable in ADDRESSES.items() if environment.get(variable)}
    return Account(Ledger(home / FOLDER), {name: key for name, key in found.items() if key}, bases)


def ceiling(max_cost: float | None, environment: Mapping[str, str] = os.environ) -> float | None:
    """`--max-cost`, or the standing one of the environment; `InvalidRequest` for what is no amount."""
    if max_cost is not None or not environment.get(CEILING):
        return max_cost
    try:
        amount = float(environment[CEILING])
    except ValueError:
        amount = -1.0
    if not 0 <= amount < 1e6:
        raise InvalidRequest(CEILING, f"{environment[CEILING]!r} is not allowed: an amount in US dollars, such as 0.50")
    return amount


def agree(estimate: float, model: str, max_cost: float | None, *, asks: bool = True) -> None:
    """Raise where it would cost too much; ask on a terminal where no ceiling was given. A script is not asked."""
    from triptych.cli.output import tell
    from triptych.hosted.orders import check_cost

    check_cost(estimate, max_cost)
    if not asks or max_cost is not None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    tell(f"{model} costs about ${estimate:.3f}. Go on? [y/N] (with --max-cost it is not asked)")
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Cancelled("stopped before anything was sent")


def painter(request: Request, *, max_cost: float | None, previews: bool, quiet: bool) -> Callable[..., Result]:
    """`generate` of a hosted model with the account of this machine, once the price is agreed to."""
    from triptych.hosted.orders import generate, order

    limit = ceiling(max_cost)
    own = account()
    agree(order(request, previews=previews).estimate, request.model, limit)
    tell_open_jobs(own, quiet=quiet)
    return partial(generate, account=own, max_cost=limit)


def editor(
    image: Path,
    instruction: str,
    mask: str | None,
    model: str,
    invert: bool,
    grow: int,
    lock: float,
    max_cost: float | None,
    quiet: bool,
    fields: dict[str, Any],
) -> Callable[..., EditResult]:
    """`edit` of a hosted model with the account of this machine, once the price is agreed to.

    Picture and mask are understood as for every other edit; a mask in words needs the readers of the package.
    """
    from triptych.api.sources import open_source, select
    from triptych.hosted.edits import edit, plan_edit

    limit = ceiling(max_cost)
    own = account()
    opened = open_source(image)
    selection = select(mask, opened, invert=invert, grow=grow)
    fields = {key: value for key, value in fields.items() if key != "use_plan"}
    laid_out, _ = plan_edit(opened.pixels, instruction, mask=selection.mask, lock=lock, model=model, **fields)
    agree(laid_out.estimate, model, limit)
    tell_open_jobs(own, quiet=quiet)
    return partial(
        edit,
        opened.pixels,
        instruction,
        mask=selection.mask,
        lock=lock,
        model=model,
        account=own,
        name=opened.name,
        profile=opened.profile,
        max_cost=limit,
        told=(*opened.notes, *selection.notes),
        **fields,
    )


def tell_open_jobs(own: Account, *, quiet: bool) -> None:
    """Say which earlier jobs may have cost money and gave no picture: they are never forgotten."""
    from triptych.cli.output import tell

    waiting = [job for job in own.ledger.jobs() if job.is_open]
    if waiting:
        names = ", ".join(f"{job.id} ({job.state})" for job in waiting[:3])
        tell(f"note  hosted: {len(waiting)} earlier job(s) without an end: {names}; see triptych hosted", quiet=quiet)
