"""The client alone: which addresses, what the key sees, and whether anything was sent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hosted.fakes import FAKES, Fake
from tests.hosted.fakes.base import KEY

from triptych.core.errors import InvalidRequest
from triptych.hosted.errors import Lost, NotRun, Spoilt, Unreached
from triptych.hosted.http import Client
from triptych.hosted.keys import Secret, without
from triptych.hosted.messages import Call, events
from triptych.hosted.reach import Reach, is_public

SECRET = Secret(KEY, "the test")


@pytest.fixture
def fake() -> Fake:
    with FAKES["bfl"]() as running:
        yield running
        running.answered.set()


def client(reach: Reach) -> Client:
    return Client(reach, SECRET, "x-key")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
    ],
)
def test_addresses_that_are_nobody_s_business(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_public_internet(address: str) -> None:
    assert is_public(address)


def test_a_name_that_leads_into_this_machine_is_noticed_on_the_socket(fake: Fake) -> None:
    """`localhost` is on the list of hosts here, as a rebound name would be; the socket gives it away."""
    reach = Reach(f"https://localhost:{fake.port}")
    with pytest.raises(NotRun, match=r"leads to .* nothing was sent"):
        client(reach).send(Call("POST", reach.base + "/v1/flux-2-pro", json={}))
    assert not fake.asked


@pytest.mark.parametrize(
    "address",
    [
        "http://api.bfl.ai/x",
        "https://api.bfl.ai:444/x",
        "https://bfl.ai.evil.example/x",
        "https://evilbfl.ai/x",
        "https://169.254.169.254/latest/meta-data",
        "https://user:pass@api.bfl.ai/x",
        "file:///etc/passwd",
        "gopher://api.bfl.ai/x",
        "//api.bfl.ai/x",
        "",
        "https://[::1]/x",
    ],
)
def test_addresses_that_a_provider_may_not_send_us_to(address: str) -> None:
    reach = Reach("https://api.bfl.ai/v1", key_hosts=(".bfl.ai",), picture_hosts=(".bfl.ai",))
    with pytest.raises(NotRun):
        client(reach).send(Call("GET", address))


def test_hosts_that_it_may(fake: Fake) -> None:
    reach = Reach("https://api.bfl.ai/v1", key_hosts=(".bfl.ai",), picture_hosts=(".bfl.ai",))
    for address in ("https://api.bfl.ai/v1/x", "https://api.eu2.bfl.ai/v1/get_result?id=1", "https://API.BFL.AI./v1"):
        reach.check(address)
        assert reach.may_see_key(address)
    other = Reach("https://dashscope-intl.aliyuncs.com/api/v1", picture_hosts=(".aliyuncs.com",))
    other.check("https://dashscope-result.oss-ap-southeast-1.aliyuncs.com/1.png?sign=x")
    assert not other.may_see_key("https://dashscope-result.oss-ap-southeast-1.aliyuncs.com/1.png")


def test_a_key_travels_by_https_only() -> None:
    with pytest.raises(InvalidRequest, match="only travels by https"):
        Reach("http://api.example.com/v1")
    assert Reach("http://127.0.0.1:8000/v1", configured=True).base


def test_the_key_is_dropped_on_another_origin(fake: Fake) -> None:
    """A picture's address redirects to the neighbour: with the host allowed, the hop is made without the key."""
    fake.mode = "picture redirects to a private address"
    fake.jobs["a"] = {"prompt": "x", "width": 64, "height": 64, "number": 0}
    reach = Reach(fake.base, configured=True)
    with pytest.raises(NotRun, match="not one of its own"):
        client(reach).send(Call("GET", f"{fake.origin}/delivery/a.png", auth=False))
    assert not fake.forbidden


def test_before_and_after_the_first_byte(fake: Fake) -> None:
    reach = Reach(fake.base, configured=True)
    fake.mode = "reset"
    with pytest.raises(Lost):
        client(reach).send(Call("POST", f"{fake.base}/flux-2-pro", json={"prompt": "x", "width": 64, "height": 64}))
    assert fake.bills == 1
    fake.__exit__()
    with pytest.raises(Unreached):
        client(reach).send(Call("POST", f"{fake.base}/flux-2-pro", json={}))


def test_an_answer_has_a_limit_in_bytes(fake: Fake) -> None:
    fake.mode = "flood"
    reach = Reach(fake.base, configured=True)
    with pytest.raises(Spoilt, match="more than the 1 MiB"):
        client(reach).send(
            Call("POST", f"{fake.base}/flux-2-pro", json={"prompt": "x", "width": 64, "height": 64}, limit=2**20)
        )


def test_the_environment_s_proxy_plays_no_part(fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    reach = Reach(fake.base, configured=True)
    assert client(reach).send(Call("GET", f"{fake.base}/get_result?id=none")).status == 404


@given(st.text(), st.text())
def test_no_text_gives_the_key_away(before: str, after: str) -> None:
    shown = without(SECRET, f"{before}{KEY}{after}")
    assert KEY not in shown
    assert KEY[:9] not in shown
    assert KEY not in repr(SECRET) + str(SECRET)


@given(st.binary(max_size=300))
def test_event_streams_are_read_whatever_comes(body: bytes) -> None:
    assert all(isinstance(data, dict) for data in events(body))
