"""`triptych keys`: the providers' keys, kept in `keys.json` (0600). A key is never shown, and never an argument."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

app = typer.Typer(help="The keys of hosted models. No key is ever shown.", rich_markup_mode=None, no_args_is_help=True)

Provider = Annotated[str, typer.Argument(help="openai, google, bfl, ark, xai, dashscope or huggingface.")]


@app.command("set")
def set_key(provider: Provider) -> None:
    """Keep a key: asked for without showing it, or read from stdin (one line)."""
    from triptych.cli.output import tell
    from triptych.cli.settings import data_folder
    from triptych.core.errors import one_of
    from triptych.hosted import keys

    one_of("provider", provider, keys.VARIABLES)
    keys.keep(data_folder(), provider, _typed(provider))
    tell(f"the key for {provider} is kept in {data_folder() / keys.KEYS}, readable by you alone")


@app.command("list")
def list_keys(as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False) -> None:
    """Say for which providers there is a key, and where it comes from."""
    from triptych.cli.output import show, show_json
    from triptych.cli.settings import data_folder
    from triptych.hosted import keys

    found = {name: keys.find(name, os.environ, data_folder()) for name in keys.VARIABLES}
    sources = {name: key.source if key else None for name, key in found.items()}
    if as_json:
        show_json({"keys": [{"provider": name, "from": source} for name, source in sources.items()]})
        return
    for name, source in sources.items():
        show(f"{name:<12} {source or f'none (set {keys.VARIABLES[name][0]}, or run: triptych keys set {name})'}")


@app.command("remove")
def remove_key(provider: Provider) -> None:
    """Take a key out of keys.json; one in the environment stays."""
    from triptych.cli.output import tell
    from triptych.cli.settings import data_folder
    from triptych.core.errors import InvalidRequest, one_of
    from triptych.hosted import keys

    one_of("provider", provider, keys.VARIABLES)
    if not keys.remove(data_folder(), provider):
        raise InvalidRequest("provider", f"{keys.KEYS} holds no key for {provider}")
    tell(f"the key for {provider} is removed from {keys.KEYS}")


def _typed(provider: str) -> str:
    if not sys.stdin.isatty():
        return sys.stdin.readline(8192)
    import getpass

    return getpass.getpass(f"key for {provider} (not shown): ")
