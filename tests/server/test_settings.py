"""Settings, keys, and the checks of `safety` as functions, with values that nobody would send on purpose."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from triptych.core.errors import FileProblem, InvalidRequest
from triptych.server import safety
from triptych.server.errors import ApiError
from triptych.server.keys import Token, check_token, kept_token, make_token
from triptych.server.safety import Head, Rules
from triptych.server.settings import LOOPBACK_NAMES, Settings, is_loopback

from .conftest import TOKEN, settings_for

HERE = settings_for(Path("unused"))
RULES = Rules(HERE, frozenset({"/form"}))
GOOD = {"host": "localhost:8765", "authorization": f"Bearer {TOKEN}"}


def head(method: str = "GET", path: str = "/v1/jobs", query: str = "", **headers: str) -> Head:
    whole = {**GOOD, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Head(method, path, query, tuple(whole.items()))


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("127.8.8.8", True), ("0.0.0.0", False), ("::", False)]
    + [
        (name, False) for name in ("", "localhost.", "LOCALHOST.evil", "127.0.0.1.nip.io", "10.0.0.1", "::ffff:8.8.8.8")
    ],
)
def test_what_is_the_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_names_of_the_server() -> None:
    assert HERE.hosts == set(LOOPBACK_NAMES)
    wide = replace(HERE, host="0.0.0.0", allowed_hosts=("studio.local",))
    assert wide.hosts == {*LOOPBACK_NAMES, "studio.local"}
    assert "[fe80::1]" in replace(HERE, host="fe80::1").hosts


@pytest.mark.parametrize(
    "fields",
    [{"port": -1}, {"port": 65536}, {"grace": -1.0}, {"grace": float("nan")}, {"workers": 0}, {"log_level": "x"}]
    + [{"allowed_hosts": (name,)} for name in ("", "*", "a:80", "A.b", "http://a", "a b", "-a")]
    + [
        {"origins": (name,)} for name in ("", "*", "null", "a.b", "https://a/", "https://*.a", "ftp://a", "https://a:b")
    ],
)
def test_settings_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(InvalidRequest):
        replace(HERE, **fields)


def test_settings_never_show_the_token() -> None:
    assert TOKEN not in repr(HERE) + json.dumps(HERE.as_json())
    shown = replace(HERE, database="postgresql+psycopg://me:hunter2@db/x").as_json()["database"]
    assert shown == "postgresql+psycopg://me:***@db/x"


def test_a_token_is_made_once(tmp_path: Path) -> None:
    assert kept_token(tmp_path) is None
    (tmp_path / "keys.json").write_text('{"OPENAI_API_KEY": "sk-1"}')
    made = make_token(tmp_path)
    kept = kept_token(tmp_path)
    assert kept is not None
    assert kept.value == made.value
    assert len(made.value) >= 40
    keys = json.loads((tmp_path / "keys.json").read_text())
    assert keys == {"OPENAI_API_KEY": "sk-1", "server_token": made.value}
    assert stat.S_IMODE(os.stat(tmp_path / "keys.json").st_mode) == 0o600
    assert make_token(tmp_path / "other").value != made.value


@pytest.mark.parametrize("text", ["", "[]", "{", '{"server_token": 5}', "[" * 100_000])
def test_a_keys_file_that_is_damaged(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys.json").write_text(text)
    with pytest.raises(FileProblem):
        kept_token(tmp_path)
    assert (tmp_path / "keys.json").read_text() == text


@pytest.mark.parametrize("value", ["", "short", "x" * 15, "with blanks in the middle", "é" * 20, "tab\t" * 8])
def test_what_is_no_token(value: str) -> None:
    with pytest.raises(InvalidRequest):
        check_token(value, "TRIPTYCH_TOKEN")
    assert check_token("x" * 16, "somewhere") == Token("x" * 16, "somewhere")


@given(st.text(st.characters(max_codepoint=255), max_size=40))
def test_no_other_text_is_a_host(name: str) -> None:
    if name.lower().partition(":")[0] in LOOPBACK_NAMES or name.lower().startswith("[::1]"):
        return
    with pytest.raises(ApiError):
        safety.check_host(head(host=name), RULES)


@given(st.integers(-1, 70_000))
def test_ports_of_hosts(port: int) -> None:
    if 0 < port < 65536:
        safety.check_host(head(host=f"localhost:{port}"), RULES)
        safety.check_host(head(host=f"[::1]:{port}"), RULES)
    else:
        with pytest.raises(ApiError):
            safety.check_host(head(host=f"localhost:{port}"), RULES)


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_no_other_text_is_the_token(value: str) -> None:
    if value.strip().lower() == f"bearer {TOKEN}".lower():
        return
    with pytest.raises(ApiError) as caught:
        safety.check_token(head(authorization=value), RULES)
    assert caught.value.status_code == 401


@given(st.text(st.characters(max_codepoint=255), max_size=60), st.sampled_from(["POST", "DELETE", "PUT", "X"]))
def test_no_other_content_type_changes_anything(kind: str, method: str) -> None:
    plain = kind.partition(";")[0].strip().lower()
    for path, wanted in (("/v1/jobs", "application/json"), ("/form", "multipart/form-data")):
        asked = head(method, path, content_type=kind, content_length="1")
        if plain == wanted:
            safety.check_content(asked, RULES)
        else:
            with pytest.raises(ApiError) as caught:
                safety.check_content(asked, RULES)
            assert caught.value.status_code == 415


@given(st.integers(0, 2**38), st.integers(0, 7200), st.sampled_from("0123456789abcdef"))
def test_signatures_hold_for_one_path_and_one_hour(now: int, later: int, digit: str) -> None:
    path, _, query = safety.signed("/v1/pictures/x/0", TOKEN, now).partition("?")
    assert safety.is_signed(path, query, TOKEN, now + later) is (later <= safety.SIGNED_SECONDS)
    assert not safety.is_signed("/v1/pictures/x/1", query, TOKEN, now)
    assert not safety.is_signed(path, query, TOKEN + "x", now)
    assert not safety.is_signed(path, query + digit, TOKEN, now)
    assert not safety.is_signed(path, f"{query}&{query}", TOKEN, now)


@given(st.text(max_size=80))
def test_queries_that_hold_no_signature(query: str) -> None:
    assert not safety.is_signed("/v1/pictures/x/0", query, TOKEN, 0)


def test_metrics_are_open_on_the_loopback_only() -> None:
    assert safety.needs_no_token("/metrics", HERE)
    assert not safety.needs_no_token("/metrics", replace(HERE, host="0.0.0.0"))
    assert not safety.needs_no_token("/v1/jobs", HERE)
    assert not safety.needs_no_token("/health/../v1/jobs", HERE)


def test_lengths() -> None:
    limits = HERE.limits
    for path, limit in (("/v1/jobs", limits.json_bytes), ("/form", limits.upload_bytes)):
        safety.check_length(head("POST", path, content_length=str(limit)), RULES)
        with pytest.raises(ApiError):
            safety.check_length(head("POST", path, content_length=str(limit + 1)), RULES)
    with pytest.raises(ApiError):
        safety.check_length(head("POST", content_length="9" * 400), RULES)


def test_settings_are_frozen() -> None:
    with pytest.raises(AttributeError):
        HERE.host = "0.0.0.0"  # type: ignore[misc]
    assert isinstance(HERE, Settings)
