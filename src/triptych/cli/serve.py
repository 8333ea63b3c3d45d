"""`triptych serve`: the HTTP server with its job queue and workers. The one place that wires them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from triptych.server.keys import Token
    from triptych.server.settings import Settings

TOKEN = "TRIPTYCH_TOKEN"
DATABASE = "TRIPTYCH_DATABASE"
PACKAGES = ("fastapi", "uvicorn", "sqlalchemy", "python_multipart", "prometheus_client")


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on. Another than the loopback needs a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.")] = 8765,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="A name that clients may call the server by, repeated.")
    ] = None,
    origin: Annotated[
        list[str] | None, typer.Option(help="A web page's origin that may call the server (CORS), repeated.")
    ] = None,
    workers: Annotated[int, typer.Option(help="Processes that hold the models and paint.")] = 1,
    grace: Annotated[float, typer.Option(help="Seconds that running jobs get to finish when the server stops.")] = 30.0,
    log_level: Annotated[str, typer.Option(help="debug (with prompts), info, warning or error.")] = "info",
    print_config: Annotated[
        bool, typer.Option("--print-config", help="Show the settings as JSON, without the token, and exit.")
    ] = False,
) -> None:
    """Serve the OpenAI Images API and durable jobs over HTTP.

    The address is printed on stdout, the log goes to stderr as JSON. The token is TRIPTYCH_TOKEN, or made at the first
    start and kept as server_token in keys.json of the data folder. TRIPTYCH_DATABASE may name a PostgreSQL database.
    """
    _check_extra()

    from triptych.cli.output import show_json
    from triptych.cli.settings import data_folder
    from triptych.server.keys import Token
    from triptych.server.settings import Settings

    folder = data_folder()
    token = _token(host, folder)
    settings = Settings(
        folder=folder,
        token=token or Token("", "made at the first start, as server_token in keys.json"),
        host=host,
        port=port,
        allowed_hosts=tuple(allow_host or ()),
        origins=tuple(origin or ()),
        database=os.environ.get(DATABASE) or None,
        workers=workers,
        log_level=log_level,
        grace=grace,
    )
    if print_config:
        show_json(settings.as_json())
        return
    _serve(settings, has_token=token is not None)


def _check_extra() -> None:
    from importlib.util import find_spec

    from triptych.core.errors import TriptychError

    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise TriptychError(f"the server needs {', '.join(missing)}: pip install 'triptych[server]'")


def _token(host: str, folder: Path) -> Token | None:
    """The token that somebody has set, None where one may be made: on the loopback only."""
    from triptych.core.errors import InvalidRequest
    from triptych.server.keys import check_token, kept_token
    from triptych.server.settings import is_loopback

    given = os.environ.get(TOKEN)
    token = check_token(given, TOKEN) if given else kept_token(folder)
    if token is None and not is_loopback(host):
        raise InvalidRequest(
            "host", f"{host!r} can be reached from elsewhere, and there is no token: set {TOKEN} to a long random text"
        )
    return token


def _serve(settings: Settings, *, has_token: bool) -> None:
    import dataclasses

    from triptych.cli.catalogue import registry
    from triptych.cli.output import show
    from triptych.core import logs
    from triptych.jobs.store import Store
    from triptych.server import run
    from triptych.server.keys import make_token
    from triptych.server.local import LocalService
    from triptych.workers.decode import Decoder
    from triptych.workers.supervisor import Supervisor

    # Whoever holds the folder's lock may make its token, so that two first starts do not make two.
    store = Store.open(settings.database or settings.folder)
    try:
        if not has_token:
            settings = dataclasses.replace(settings, token=make_token(settings.folder))
        bound = run.listening(settings)
    except BaseException:
        store.close()
        raise
    logs.set_up(settings.log_level, hidden=(settings.token.value,), others=("uvicorn",))
    supervisor = Supervisor(store, settings.folder, workers=settings.workers)
    service = LocalService(store, supervisor, Decoder(), settings.folder, registry().models())

    run.run(service, settings, bound, lambda: show(run.address(bound)))
