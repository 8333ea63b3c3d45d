"""Providers on this machine, each after its published API, that do what a test asks of them.

`Fake` is the part that all share: a real HTTP server on a real socket, the key, the count of bills, and the ways to
fail. A provider's file adds its addresses and forms only.
"""

from __future__ import annotations

from tests.hosted.fakes.ark import FakeArk
from tests.hosted.fakes.base import MODES, Fake
from tests.hosted.fakes.bfl import FakeBFL
from tests.hosted.fakes.dashscope import FakeDashScope
from tests.hosted.fakes.google import FakeGoogle
from tests.hosted.fakes.openai import FakeOpenAI
from tests.hosted.fakes.xai import FakeXAI

FAKES: dict[str, type[Fake]] = {
    "openai": FakeOpenAI,
    "google": FakeGoogle,
    "bfl": FakeBFL,
    "ark": FakeArk,
    "xai": FakeXAI,
    "dashscope": FakeDashScope,
}

__all__ = ["FAKES", "MODES", "Fake"]
