"""Pictures by hosted models: OpenAI, Google, Black Forest Labs, ByteDance Ark, xAI and Alibaba DashScope.

A provider's file only translates: a `Task` into the one HTTP call that costs money, and an answer into pictures, a
ticket to ask again with, or an error with the right exit code. Sending, waiting, fetching, the ledger and the money are
here once for all of them. Imports no torch and no family; never reads the environment; is handed keys and folders.

    from triptych.hosted import Account, Ledger, Secret, generate
    account = Account(Ledger(Path("~/pictures/hosted").expanduser()), {"openai": Secret(key, "my vault")})
    result = generate("a fox", model="openai/gpt-image-2", account=account, max_cost=0.10)
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from triptych.hosted.account import Account, Limits
    from triptych.hosted.edits import edit
    from triptych.hosted.keys import Secret
    from triptych.hosted.ledger import Ledger
    from triptych.hosted.orders import generate
    from triptych.hosted.unfinished import resolve, settle

__all__ = ["Account", "Ledger", "Limits", "Secret", "edit", "generate", "resolve", "settle"]

_PLACES = {
    "Account": "account",
    "Ledger": "ledger",
    "Limits": "account",
    "Secret": "keys",
    "edit": "edits",
    "generate": "orders",
    "resolve": "unfinished",
    "settle": "unfinished",
}


def __getattr__(name: str) -> Any:
    """The public names, each loaded when it is first used: the list of models alone needs none of them."""
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
