import copy
import pickle

import pytest

from mempool.model.secret import NodeUrl, mask_text, mask_url, secret_parts

KEY = "CANARY-0123456789abcdef"
URLS = [
    f"wss://node.example/v3/{KEY}",
    f"https://user:{KEY}@node.example:8545",
    f"https://node.example/?api-key={KEY}",
    f"ws://node.example#{KEY}",
    f"wss://node.example?{KEY}",
]


@pytest.mark.parametrize("url", URLS)
def test_masked_url_keeps_the_host_and_hides_the_rest(url: str) -> None:
    assert KEY not in mask_url(url)
    assert "node.example" in mask_url(url)


@pytest.mark.parametrize("plain", ["ws://127.0.0.1:8545", "http://localhost:8545/", "/var/run/geth.ipc"])
def test_address_without_a_key_is_shown_as_it_is(plain: str) -> None:
    assert mask_url(plain) == plain


@pytest.mark.parametrize("url", URLS)
def test_node_url_shows_its_key_in_no_form_but_reveal(url: str) -> None:
    node = NodeUrl(url)
    forms = [str(node), repr(node), f"{node}", repr([node]), str(pickle.dumps(node)), repr(copy.copy(node))]
    assert not any(KEY in form for form in forms)
    assert node.reveal() == url


@pytest.mark.parametrize("url", URLS)
def test_key_of_a_url_is_masked_wherever_it_stands_alone(url: str) -> None:
    assert KEY not in mask_text(f"GET /v3/{KEY} HTTP/1.1 {KEY}", set(secret_parts(url)))


@pytest.mark.parametrize("mark", [":", ";", ",", ".", ")", "?", "..."])
def test_mark_behind_a_url_stays(mark: str) -> None:
    for shown in (f"wss://node.example/{KEY}", "wss://node.example/***"):
        assert mask_text(f"see {shown}{mark} refused") == f"see wss://node.example/***{mark} refused"


def test_text_loses_urls_and_json_web_tokens_and_nothing_else() -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJDQU5BUlkifQ.c2lnbmF0dXJl"
    shown = mask_text(f"cannot reach 'wss://node.example/{KEY}' with {token}: refused")
    assert shown == "cannot reach 'wss://node.example/***' with ***: refused"


def test_all_of_a_url_that_cannot_be_read_is_a_secret() -> None:
    broken = f"ws://[::1/{KEY}"
    assert mask_text(f"no route to [::1/{KEY}", set(secret_parts(broken))) == "no route to ***"
