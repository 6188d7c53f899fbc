"""The client against a real server on this machine that answers, limits, fails, hangs and talks nonsense."""

import contextlib
import json
import logging
import math
import multiprocessing
import socket
import threading
import time
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from served import Reply, Server, said

from autotroph.core.budget import Budget, Meter
from autotroph.core.errors import AutotrophError, BudgetExceeded
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams, Signal
from autotroph.core.task import Task
from autotroph.models.openai import Answer, Endpoint, EndpointError, OpenAIClient, rollout
from autotroph.optimize.packing import rows_of
from autotroph.refine.self_consistency import SelfConsistency
from autotroph.store.journal import Journal

KEY = "sk-very-secret-0123456789"
POLICY = Policy("remote", "text", "nowhere", depth=1)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    one = Server()
    yield one
    one.http.shutdown()
    one.http.server_close()


def client(server: Server, **settings: Any) -> OpenAIClient:
    settings = {"url": server.url, "model": "tiny", "backoff": 0.01, "timeout": 5.0, **settings}
    return OpenAIClient(Endpoint(**settings), POLICY, Meter())


def ask(one: OpenAIClient, n: int = 1, **params: Any) -> list[Answer]:
    return one.answers([f"question {i}" for i in range(n)], SamplingParams(**params), range(n))


def test_answers_come_in_order_and_are_metered(server) -> None:
    def late_first(body: dict[str, Any], number: int) -> Reply:
        question = body["messages"][-1]["content"]
        time.sleep(0.1 if question.endswith(" 0") else 0)
        return said(f"answer to {question}")

    server.reply = late_first
    one = client(server, prompt_price=2.0, answer_price=10.0)
    assert [answer.text for answer in ask(one, 5)] == [f"answer to question {i}" for i in range(5)]
    assert one.meter.tokens == 35
    assert one.meter.dollars == pytest.approx(5 * (100 * 2 + 7 * 10) / 1e6)
    with pytest.raises(BudgetExceeded, match="dollars"):
        Meter(**one.meter.snapshot(), budget=Budget(dollars=0.001)).check()
    assert Meter(**one.meter.snapshot()).dollars == one.meter.dollars


def test_what_a_chat_request_says(server) -> None:
    one = client(server, system="Be brief.", stop=("\n",), logprobs=True)
    one.answers(["hello"], SamplingParams(temperature=0.3, top_p=0.9, max_tokens=5), [2**61 + 5])
    path, headers, body = server.requests[0]
    assert (path, headers["Authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    assert body == {
        "model": "tiny",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hello"}],
        "temperature": 0.3,
        "top_p": 0.9,
        "max_tokens": 5,
        "seed": 5,
        "stop": ["\n"],
        "logprobs": True,
    }


def test_plain_completions_and_their_logprobs(server, monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    choice = {"text": " four", "finish_reason": "length", "logprobs": {"token_logprobs": [-0.5, -1.25]}}
    server.reply = lambda body, number: (200, {}, json.dumps({"choices": [choice]}).encode())
    one = client(server, chat=False, logprobs=True, limit="max_completion_tokens", omit=("seed",))
    assert ask(one, top_k=3, max_tokens=2) == [Answer(" four", "length", 0, (-0.5, -1.25))]
    path, headers, body = server.requests[0]
    assert path == "/v1/completions"
    assert "Authorization" not in headers
    assert (body["prompt"], body["logprobs"], body["top_k"], body["max_completion_tokens"]) == ("question 0", 1, 3, 2)
    assert not {"min_p", "min_tokens", "stop", "max_tokens", "seed"} & set(body)


def test_logprobs_of_a_chat(server) -> None:
    content = [{"token": "a", "logprob": -0.25}, {"token": "b", "logprob": 0}]
    server.reply = lambda body, number: said("ab", logprobs={"content": content})
    assert ask(client(server, logprobs=True))[0].logprobs == (-0.25, 0.0)


def test_a_filtered_answer_is_marked_and_never_counts_as_one(server) -> None:
    server.reply = lambda body, number: said(None, "content_filter")
    group = rollout([Task.of("t", "q", "a")], client(server), SamplingParams(), n=1, seed=0)[0]
    trace = group.traces[0]
    assert (trace.text, trace.stop, trace.error) == ("", "error", "finish_reason content_filter")


def test_rollouts_are_texts_that_can_be_voted_on_but_not_learnt_from_as_tokens(server) -> None:
    server.reply = lambda body, number: said("5" if body["seed"] % 3 == 0 else "4")
    tasks = [Task.of("t", f"2+2 ({i})", "4") for i in range(3)]
    one = client(server)
    groups = rollout(tasks, one, SamplingParams(), n=4, seed=7)
    assert [group.task for group in groups] == tasks
    seeds = {body["seed"] for _, _, body in server.requests}
    assert len(seeds) == 12
    for trace in (trace for group in groups for trace in group.traces):
        assert (trace.ids, trace.sampled, trace.logprobs, trace.depth) == ((), (), (), 2)
        assert list(rows_of([Signal(trace, advantage=1.0)])) == []
    rollout(tasks, one, SamplingParams(), n=4, seed=7)
    assert {body["seed"] for _, _, body in server.requests} == seeds
    elected = SelfConsistency(SamplingParams(), n=9, rollout=rollout).answer(tasks, one, seed=0)
    assert [trace.text for trace in elected] == ["4"] * 3


def test_no_more_requests_at_a_time_than_allowed(server) -> None:
    def slow(body: dict[str, Any], number: int) -> Reply:
        time.sleep(0.03)
        return said("fine")

    server.reply = slow
    ask(client(server, concurrency=3), 12)
    assert server.most == 3


@pytest.mark.parametrize("trouble", [(429, {}, b"slow down"), (503, {}, b""), (200, {}, b"<html>"), (200, {}, b"{}")])
def test_what_may_pass_is_tried_again(trouble: Reply, server) -> None:
    server.reply = lambda body, number: trouble if number < 2 else said("fine")
    one = client(server, retries=2)
    assert ask(one)[0].text == "fine"
    assert len(server.requests) == 3
    assert one.meter.tokens == 7


@pytest.mark.parametrize(
    ("trouble", "reason"),
    [
        ((429, {}, b"slow down"), r"status 429 \(slow down\)"),
        ((500, {}, b""), "status 500"),
        ((200, {}, b'{"choices": []}'), "malformed answer"),
        ((200, {}, b'{"choices": [{"message": {"content": 3}}]}'), "malformed answer"),
        ((200, {"Content-Length": "5000"}, b"cut"), "IncompleteRead|TimeoutError"),
    ],
)
def test_what_does_not_pass_is_an_error_in_one_line(trouble: Reply, reason: str, server) -> None:
    server.reply = lambda body, number: trouble
    with pytest.raises(AutotrophError, match=f"{server.url}/chat/completions: .*({reason}).*after 3 tries") as caught:
        ask(client(server, retries=2, timeout=0.3))
    assert "\n" not in str(caught.value)
    assert len(server.requests) == 3


def test_a_server_that_hangs_is_given_up_and_tried_again(server) -> None:
    def hang_once(body: dict[str, Any], number: int) -> Reply:
        time.sleep(1.0 if number == 0 else 0)
        return said("fine")

    server.reply = hang_once
    begun = time.monotonic()
    assert ask(client(server, timeout=0.2))[0].text == "fine"
    assert time.monotonic() - begun < 0.9


def test_nobody_listens() -> None:
    one = OpenAIClient(Endpoint(url="http://127.0.0.1:9", model="m", retries=1, backoff=0.01), POLICY, Meter())
    with pytest.raises(AutotrophError, match=r"127\.0\.0\.1:9.*refused.*after 2 tries"):
        ask(one)


def test_waits_grow_and_are_at_least_what_the_server_asks_for(server) -> None:
    server.reply = lambda body, number: (429, {}, b"") if number < 3 else said("fine")
    ask(client(server, backoff=0.05))
    first, second, third = (b - a for a, b in zip(server.times[:3], server.times[1:4], strict=True))
    assert 0.05 <= first < 1
    assert second >= 0.1
    assert third >= 0.2
    for asked in (formatdate(time.time() + 2, usegmt=True), "0.4"):
        server.times.clear(), server.requests.clear()
        server.reply = lambda body, number, asked=asked: said("fine") if number else (503, {"Retry-After": asked}, b"")
        ask(client(server))
        assert server.times[1] - server.times[0] >= 0.4


def test_a_wait_beyond_patience_is_an_error_at_once(server) -> None:
    server.reply = lambda body, number: (429, {"Retry-After": "3600"}, b"daily quota")
    with pytest.raises(AutotrophError, match=r"daily quota.*asks to wait 3600 s.*patience=60"):
        ask(client(server))
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "way_out"),
    [(400, "change the request"), (401, "check the key in OPENAI_API_KEY"), (404, "check the url and model='tiny'")],
)
def test_a_refusal_is_not_repeated_and_the_key_stays_out_of_it(status: int, way_out: str, server, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    server.reply = lambda body, number: (status, {}, f"you sent {KEY},\nwhich is wrong".encode())
    with pytest.raises(AutotrophError) as caught:
        ask(client(server))
    message = str(caught.value)
    assert f"{server.url}/chat/completions: status {status} (you sent ***, which is wrong); {way_out}" in message
    assert KEY not in message + caplog.text + repr(vars(client(server)))
    assert len(server.requests) == 1


def test_a_refusal_without_a_key_says_which_variable_to_set(server, monkeypatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    server.reply = lambda body, number: (401, {}, b"")
    with pytest.raises(AutotrophError, match="set OPENAI_API_KEY to a key"):
        ask(client(server))


def test_one_refusal_ends_the_others(server) -> None:
    server.reply = lambda body, number: (400, {}, b"too long") if "question 0" in str(body) else (429, {}, b"")
    begun = time.monotonic()
    with pytest.raises(AutotrophError, match="too long"):
        ask(client(server, concurrency=4, backoff=30.0), 40)
    assert time.monotonic() - begun < 5
    assert len(server.requests) < 40


def test_the_key_does_not_follow_a_redirection(server) -> None:
    server.reply = lambda body, number: (302, {"Location": f"{server.url}/elsewhere"}, b"moved")
    with pytest.raises(AutotrophError, match=r"status 302.*check the url"):
        ask(client(server))
    assert len(server.requests) == 1


def test_a_key_of_several_lines_is_refused_without_being_shown(server, monkeypatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", f"{KEY}\nInjected: header")
    with pytest.raises(AutotrophError, match="OPENAI_API_KEY holds characters") as caught:
        ask(client(server))
    assert KEY not in str(caught.value)
    assert server.requests == []


def test_prices_need_counted_tokens(server) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    server.reply = lambda body, number: (200, {}, json.dumps({"choices": [choice]}).encode())
    assert ask(client(server)) == [Answer("x", "stop", 0)]
    with pytest.raises(AutotrophError, match="counts no tokens"):
        ask(client(server, answer_price=1.0))


def test_token_ids_to_stop_at_are_refused(server) -> None:
    with pytest.raises(AutotrophError, match="has no token ids to stop at"):
        ask(client(server), stop=(3,))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://user:word@host/v1", "host/v1"])
def test_urls_that_are_none_are_refused(url: str) -> None:
    with pytest.raises(ValidationError, match="url"):
        Endpoint(url=url, model="m")


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "autotroph.optimize.packing", "autotroph.refine.self_consistency"])


def pay(url: str, folder: Path, dollars: float, said: Any) -> None:
    """What one process asks of the server: 40 answers, 4 at a time."""
    journal = Journal(folder)
    journal.begin(0)
    meter = Meter(budget=Budget(dollars=dollars), journal=journal)
    endpoint = Endpoint(url=url, model="tiny", backoff=0.01, prompt_price=1.0, answer_price=100.0, concurrency=4)
    try:
        answers = ask(OpenAIClient(endpoint, POLICY, meter), 40, max_tokens=20)
        said.send(([answer.text for answer in answers], meter.snapshot()))
    except BudgetExceeded as stop:
        said.send(str(stop))


def paying(server: Server, folder: Path, dollars: float, requests: float = math.inf) -> Any:
    """Let a process ask, and kill it after so many requests; what it says at its end."""
    ours, theirs = FORKS.Pipe()
    process, before = FORKS.Process(target=pay, args=(server.url, folder, dollars, theirs)), len(server.requests)
    process.start()
    while len(server.requests) < before + requests and process.is_alive() and not ours.poll(0.001):
        pass
    process.kill()
    process.join()
    return ours.recv() if ours.poll() else None


def busy(body: dict[str, Any], number: int) -> Reply:
    time.sleep(0.02)
    return said(f"re: {body['messages'][-1]['content']}")


def test_a_killed_client_asks_only_for_what_it_has_no_answer_to(server, tmp_path: Path) -> None:
    """What was under way when it was killed, at most one request a worker, is asked for again and counts as lost."""
    server.reply = busy
    for _ in range(3):
        assert paying(server, tmp_path, 1e6, requests=10) is None
    texts, spent = paying(server, tmp_path, 1e6)
    asked = {body["messages"][-1]["content"] for _, _, body in server.requests}
    assert texts == [f"re: question {i}" for i in range(40)]
    assert len(asked) == 40
    again = len(server.requests) - 40
    assert 0 < again <= 3 * 4
    each = (100 * 1 + 7 * 100) / 1e6
    assert spent["tokens"] == 40 * 7
    assert spent["dollars"] == pytest.approx(40 * each)
    assert spent["lost"]["dollars"] >= again * each - 1e-9


def test_dollars_hold_over_kills(server, tmp_path: Path) -> None:
    """By the server's own count: whatever a killed client may have missed is in it."""
    server.reply = busy
    each, cap = (100 * 1 + 7 * 100) / 1e6, 0.05
    for _ in range(10):
        paying(server, tmp_path, cap, requests=2)
    assert "budget: dollars at" in paying(server, tmp_path, cap)
    assert len(server.requests) * each <= cap


def test_one_failed_request_does_not_lose_the_answers_of_the_others(server, tmp_path: Path) -> None:
    def failing(body: dict[str, Any], number: int) -> Reply:
        if body["messages"][-1]["content"].endswith(" 5") and number < 20:
            time.sleep(0.1)
            return 400, {}, b"no"
        return said("fine")

    server.reply = failing
    for raises in (True, False):
        journal = Journal(tmp_path)
        journal.begin(0)
        endpoint = Endpoint(url=server.url, model="tiny", concurrency=2)
        one = OpenAIClient(endpoint, POLICY, Meter(journal=journal))
        if raises:
            with pytest.raises(AutotrophError, match="status 400"):
                ask(one, 8)
            number = len(server.requests)
            server.reply = lambda body, number: said("fine")
        else:
            assert [answer.text for answer in ask(one, 8)] == ["fine"] * 8
    assert len(server.requests) == 8 + 1
    assert number > 2
    assert one.meter.tokens == 8 * 7


@pytest.mark.parametrize(
    "usage",
    [{"completion_tokens": math.inf}, {"completion_tokens": -5}, {"prompt_tokens": -1}, [1], {"prompt_tokens": "x"}],
)
def test_counts_that_are_none_are_a_fault_and_no_crash(server, usage: Any) -> None:
    choice = {"message": {"content": "x"}, "finish_reason": "stop"}
    server.reply = lambda body, number: (200, {}, json.dumps({"choices": [choice], "usage": usage}).encode())
    with pytest.raises(EndpointError, match="malformed answer"):
        ask(client(server, retries=0))


def test_an_answer_nested_without_end_is_a_fault(server) -> None:
    server.reply = lambda body, number: (200, {}, b"[" * 1_000_000)
    with pytest.raises(EndpointError, match="malformed answer"):
        ask(client(server, retries=0))


def test_an_answer_without_end_is_given_up(server, monkeypatch) -> None:
    monkeypatch.setattr("autotroph.models.openai.LARGEST", 1 << 20)
    server.reply = lambda body, number: (200, {}, b" " * (3 << 20))
    with pytest.raises(EndpointError, match="more than 1 MB"):
        ask(client(server, retries=0))


def test_an_answer_that_drips_is_given_up() -> None:
    """A byte now and then keeps a try from timing out; the deadline is for the whole."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def drip() -> None:
            one, _ = listening.accept()
            with one, contextlib.suppress(OSError):
                one.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n")
                for _ in range(1500):
                    one.sendall(b" ")
                    time.sleep(0.02)

        threading.Thread(target=drip, daemon=True).start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/v1"
        one = OpenAIClient(Endpoint(url=url, model="m", retries=0, deadline=0.2), POLICY, Meter())
        begun = time.monotonic()
        with pytest.raises(EndpointError, match="not over after"):
            ask(one)
        assert time.monotonic() - begun < 15.0


def test_an_answer_that_is_cut_short_is_a_fault(server) -> None:
    server.reply = lambda body, number: (200, {"Content-Length": "9999"}, b"{}")
    with pytest.raises(EndpointError, match="IncompleteRead"):
        ask(client(server, retries=0, timeout=1.0))
