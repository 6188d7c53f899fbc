"""Answers from any endpoint that speaks the protocol of OpenAI: text in, text out, with retries and a bill.

It is a client of the standard library's alone, because one request a row, in threads, is all that it needs.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPResponse, IncompleteRead
from typing import Any, Literal
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from pydantic import Field

from autotroph.core.budget import Meter
from autotroph.core.config import Config
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.core.trace import Group, Stop, Trace
from autotroph.models.rollout import row_seed
from autotroph.models.threads import check_in, in_parallel

LARGEST = 64 << 20
"""Bytes of an answer beyond which it is none."""


class Endpoint(Config):
    """Where a model answers, how to ask it, and what it costs."""

    url: str = Field(default="https://api.openai.com/v1", pattern=r"^https?://[^\s@?#]+$")
    model: str
    chat: bool = Field(default=True, description="chat completions; off: plain completions of the prompt")
    key_variable: str = Field(default="OPENAI_API_KEY", description="environment variable with the key; unset: no key")
    system: str = Field(default="", description="system message of a chat")
    stop: tuple[str, ...] = Field(default=(), description="texts that end an answer and are not part of it")
    logprobs: bool = Field(default=False, description="ask for log-probabilities; not every endpoint gives them")
    limit: Literal["max_tokens", "max_completion_tokens"] = Field(
        default="max_tokens", description="name of the field that bounds an answer"
    )
    omit: tuple[str, ...] = Field(default=(), description="fields that this endpoint refuses, such as seed: not sent")
    concurrency: int = Field(default=8, ge=1, description="requests under way at a time")
    retries: int = Field(default=5, ge=0, description="further tries after a rate limit, a fault or a timeout")
    timeout: float = Field(default=60.0, gt=0, description="seconds without a byte before a try is given up")
    deadline: float = Field(
        default=600.0, gt=0, description="seconds after which an answer that still comes is given up"
    )
    backoff: float = Field(default=0.5, ge=0, description="seconds before the first retry; each further one twice that")
    patience: float = Field(default=60.0, gt=0, description="longest wait before a retry, in seconds")
    prompt_price: float = Field(default=0.0, ge=0, description="dollars for a million prompt tokens")
    answer_price: float = Field(default=0.0, ge=0, description="dollars for a million tokens of answers")


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint says. `tokens` are as many as it counts; `logprobs` of each are empty unless it gives them.

    `stop` is "error" for an answer that is none, such as a filtered one; `error` then has the endpoint's word for it.
    """

    text: str
    stop: Stop
    tokens: int
    logprobs: tuple[float, ...] = ()
    error: str | None = None

    @classmethod
    def read(cls, kept: bytes) -> Answer:
        found = cls(**json.loads(kept))
        return replace(found, logprobs=tuple(found.logprobs))


class EndpointError(AutotrophError):
    """An endpoint that refused a request, or that gave no answer after all retries."""


class Fault(Exception):
    """A try that failed and may be repeated, not before `wait` seconds if the endpoint has said so. `billed`: whether
    it may have to be paid for all the same."""

    def __init__(self, reason: str, wait: float | None = None, *, billed: bool = False):
        super().__init__(reason)
        self.wait, self.billed = wait, billed


class OpenAIClient:
    """Asks one endpoint for answers; safe to use from several threads. The key is read anew for every request."""

    def __init__(self, endpoint: Endpoint, policy: Policy, meter: Meter):
        self.endpoint, self.policy, self.meter = endpoint, policy, meter
        self._address = f"{endpoint.url.rstrip('/')}/{'chat/completions' if endpoint.chat else 'completions'}"
        self._opener = build_opener(Unmoved)

    def answers(self, prompts: Sequence[str], params: SamplingParams, seeds: Sequence[int]) -> list[Answer]:
        """One answer to each prompt, in order, `endpoint.concurrency` requests at a time.

        `seeds` are sent along, 31 bits of each; whether equal seeds give equal answers is the endpoint's affair. Where
        the meter has a journal, an answer is in it as soon as it is there: when a later one fails, or the process dies,
        the same call asks only for those that are missing. Raises EndpointError when the endpoint refuses a request and
        when it still fails after all retries; AutotrophError where prices are given but tokens are not counted;
        BudgetExceeded before a request for which a cap leaves no room.
        """
        if params.stop:
            raise AutotrophError(
                f"endpoint {self._address}: has no token ids to stop at; give `stop` texts to Endpoint"
            )
        bodies = [self._body(prompt, params, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        call = hashlib.blake2b(b"\n".join((self._address.encode(), *bodies)), digest_size=16).hexdigest()
        name, parts = self.meter.replayed(call)

        def answer(part: int, body: bytes) -> Answer:
            return Answer.read(parts[part]) if part in parts else self._answer(name, part, body, params.max_tokens)

        return in_parallel(answer, range(len(bodies)), bodies, workers=self.endpoint.concurrency)

    def _body(self, prompt: str, params: SamplingParams, seed: int) -> bytes:
        """The request as JSON. What OpenAI has no name for goes by vLLM's, and only where it is asked for."""
        endpoint = self.endpoint
        body: dict[str, Any] = {
            "model": endpoint.model,
            "temperature": params.temperature,
            "top_p": params.top_p,
            "seed": seed & 0x7FFFFFFF,
            endpoint.limit: params.max_tokens,
            **{name: value for name in ("top_k", "min_p", "min_tokens") if (value := getattr(params, name))},
        }
        if endpoint.stop:
            body["stop"] = list(endpoint.stop)
        if endpoint.logprobs:
            body["logprobs"] = True if endpoint.chat else 1
        if endpoint.chat:
            system = [{"role": "system", "content": endpoint.system}] if endpoint.system else []
            body["messages"] = [*system, {"role": "user", "content": prompt}]
        else:
            body["prompt"] = prompt
        return json.dumps({name: value for name, value in body.items() if name not in endpoint.omit}).encode()

    def _answer(self, name: str, part: int, body: bytes, tokens: int) -> Answer:
        """Ask until there is an answer of at most so many tokens; a request has no more tokens than bytes."""
        worst = {"tokens": tokens, "dollars": self._price(len(body), tokens)}
        for tried in range(self.endpoint.retries + 1):
            check_in()
            with self.meter.unit(**worst):
                try:
                    answer, cost = self._parsed(self._sent(body))
                    self.meter.spend(**cost)
                    self.meter.record(name, part, json.dumps(asdict(answer)).encode(), cost)
                    return answer
                except Fault as fault:
                    last = fault
                    if fault.billed:
                        self.meter.waste(**worst)
            if tried < self.endpoint.retries:
                self._pause(tried, last)
        raise EndpointError(
            f"endpoint {self._address}: {last} after {self.endpoint.retries + 1} tries; try again later, with a lower "
            "concurrency or more retries"
        )

    def _price(self, asked: int, answered: int) -> float:
        """Dollars for so many tokens of prompt and answer."""
        return (asked * self.endpoint.prompt_price + answered * self.endpoint.answer_price) / 1e6

    def _pause(self, tried: int, fault: Fault) -> None:
        """Wait as long as the endpoint asks, or twice as long as the last time, and up to a half more by chance."""
        least = fault.wait or 0.0
        if least > self.endpoint.patience:
            raise EndpointError(
                f"endpoint {self._address}: {fault}, and asks to wait {least:.0f} s; try again then, or raise "
                f"patience={self.endpoint.patience:g}"
            )
        usual = min(self.endpoint.backoff * 2**tried, self.endpoint.patience)
        until = time.monotonic() + max(least, usual) * random.uniform(1.0, 1.5)
        while (left := until - time.monotonic()) > 0:
            check_in()
            time.sleep(min(left, 0.2))

    def _sent(self, body: bytes) -> bytes:
        """What the endpoint answers to one request. Raises Fault, and AutotrophError for what no retry can mend."""
        key = os.environ.get(self.endpoint.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise AutotrophError(
                f"endpoint {self._address}: {self.endpoint.key_variable} holds characters that no key has; set it again"
            )
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        try:
            with self._opener.open(Request(self._address, body, headers), timeout=self.endpoint.timeout) as response:
                return self._read(response)
        except HTTPError as error:
            said = _line(error.read(2000).decode(errors="replace"), key)
            if error.code in (408, 429) or error.code >= 500:
                raise Fault(f"status {error.code} ({said})", _wait(error.headers.get("Retry-After"))) from None
            raise EndpointError(
                f"endpoint {self._address}: status {error.code} ({said}); {self._way_out(error.code, bool(key))}"
            ) from None
        except (OSError, HTTPException) as error:  # no connection (URLError), a timeout, an answer cut short
            sent = not isinstance(error, URLError)
            raise Fault(_line(f"{type(error).__name__}: {error}", key), billed=sent) from None

    def _read(self, response: HTTPResponse) -> bytes:
        """An answer that is neither endless nor sent for ever. Raises Fault for one that is."""
        parts, size, until = list[bytes](), 0, time.monotonic() + self.endpoint.deadline
        while part := response.read1(1 << 16):
            parts.append(part)
            size += len(part)
            if size > LARGEST:
                raise Fault(f"an answer of more than {LARGEST >> 20} MB", billed=True)
            if time.monotonic() > until:
                raise Fault(f"an answer that is not over after {self.endpoint.deadline:g} s", billed=True)
            check_in()
        if response.length:  # bytes that were announced and never came
            raise IncompleteRead(b"".join(parts), response.length)
        return b"".join(parts)

    def _way_out(self, status: int, key: bool) -> str:
        variable = self.endpoint.key_variable
        if status in (401, 403):
            return f"check the key in {variable}" if key else f"set {variable} to a key"
        if status < 400 or status == 404:
            return f"check the url and model={self.endpoint.model!r}"
        return "change the request, or name the field that it refuses in `omit`"

    def _parsed(self, body: bytes) -> tuple[Answer, dict[str, float]]:
        """The answer and its cost. Raises Fault for what is no answer at all."""
        try:
            reply = json.loads(body)
            choice, usage = reply["choices"][0], reply.get("usage") or {}
            text = (choice["message"]["content"] if self.endpoint.chat else choice["text"]) or ""
            if not isinstance(text, str):
                raise TypeError(text)
            given = choice.get("logprobs") or {}
            chat = [one["logprob"] for one in given.get("content") or ()]
            logprobs = tuple(map(float, chat or given.get("token_logprobs") or ()))
            asked, tokens = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
            reason = choice.get("finish_reason")
            if min(asked, tokens) < 0:
                raise ValueError(usage)
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise Fault(f"a malformed answer ({type(error).__name__})", billed=True) from None
        cost = {"tokens": tokens, "dollars": self._price(asked, tokens)}
        if (self.endpoint.prompt_price or self.endpoint.answer_price) and not usage:
            raise AutotrophError(f"endpoint {self._address}: counts no tokens, so prices mean nothing; leave them at 0")
        if reason not in ("stop", "length"):
            return Answer(text, "error", tokens, logprobs, error=f"finish_reason {reason}"), cost
        return Answer(text, reason, tokens, logprobs), cost


class Unmoved(HTTPRedirectHandler):
    """Follows no redirection, which would take the key to wherever it points."""

    def redirect_request(self, *args: Any) -> None:
        return None


def _line(text: str, key: str) -> str:
    """At most 200 characters of a server's words, on one line, without the key."""
    return " ".join((text.replace(key, "***") if key else text).split())[:200]


def _wait(header: str | None) -> float | None:
    """Seconds that a Retry-After header asks for, which gives them, or a date; None where it says neither."""
    try:
        return max(0.0, float(header or ""))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(header or "").timestamp() - time.time())
    except (ValueError, TypeError):
        return None


def rollout(tasks: Sequence[Task], client: OpenAIClient, params: SamplingParams, n: int, seed: int) -> list[Group]:
    """n traces of every task, in the order of the tasks, n requests for each: every sample has a seed of its own.

    An endpoint's tokens are not ours, so traces have text and no ids. They can be scored, voted on and selected; what
    is to be learnt from them has to be made a gold answer first (`rollout.gold_trace`).
    """
    found = client.answers(
        [task.prompt for task in tasks for _ in range(n)],
        params,
        [row_seed(seed, task.key, str(i)) for task in tasks for i in range(n)],
    )
    depth = client.policy.depth + 1
    return [
        Group(
            task,
            tuple(
                Trace(task.key, client.policy.id, (), (), (), one.text, one.stop, depth, error=one.error)
                for one in found[i * n : (i + 1) * n]
            ),
        )
        for i, task in enumerate(tasks)
    ]
