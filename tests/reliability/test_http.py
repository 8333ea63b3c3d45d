"""The server under many: thousands of made-up requests over its whole OpenAPI page, and hundreds of streams at once."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks
from tests.server.conftest import TOKEN, Live, serving
from tests.server.test_jobs_api import follow_many

from .programme import scale, tell

CASES = scale(400, 20_000)
STREAMS = scale(50, 500)
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.unsupported_method,
    checks.allow_header_conformance,
]
"""Not among them: that whatever fits the schema is accepted. A model's contract refuses more than a schema can say."""
PATIENCE = 20
"""Seconds for one answer; event streams of the fake's jobs end well before."""


def test_made_up_requests_over_the_whole_api(tmp_path: Path) -> None:
    """Valid and invalid ones for every operation: no 5xx, nothing that the OpenAPI page does not say."""
    with serving(tmp_path) as live:
        schema = schemathesis.openapi.from_url(f"{live.url}/openapi.json")
        operations = [found.ok() for found in schema.get_all_operations()]
        statuses: Counter[int] = Counter()
        began, number = time.monotonic(), 0
        # Operations without parameters have one case only, so the others are asked until the number is reached.
        while sum(statuses.values()) < CASES:
            number += 1
            most = max((CASES - sum(statuses.values())) // (2 * len(operations)), 1)
            for operation in operations:
                for mode in GenerationMode:
                    ask(live, operation, mode, statuses, number, most)
        assert not [status for status in statuses if status >= 500]
        assert statuses[200] > 0
        assert statuses[202] > 0
        assert statuses[400] > 0
        counts = {f"answered_{status}": count for status, count in sorted(statuses.items())}
        tell("made-up HTTP requests", cases=sum(statuses.values()), **counts, seconds=round(time.monotonic() - began))


def ask(live: Live, operation: Any, mode: GenerationMode, statuses: Counter[int], number: int, most: int) -> None:
    """Up to `most` cases of one operation. number: which round it is, so that each has cases of its own."""
    headers = {"authorization": f"Bearer {TOKEN}"}

    @seed(number)
    @settings(
        max_examples=most,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def every(case: Any) -> None:
        response = case.call(headers=headers, timeout=PATIENCE)
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS, headers=headers)

    try:
        every()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE  # what has no parameter cannot be asked wrongly
    except ValueError as error:
        # schemathesis 4.32 cannot spoil the bytes of a form's file; the rest of this round is asked in the next one.
        if str(error) != "Unsupported type: 'Binary'":
            raise


def test_streams_at_once(tmp_path: Path) -> None:
    with serving(tmp_path) as live:
        began = time.monotonic()
        ends = follow_many(live, STREAMS)
        assert ends == STREAMS
        tell("event streams at once", streams=STREAMS, saw_the_end=ends, seconds=round(time.monotonic() - began, 1))
