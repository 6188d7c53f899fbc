"""Chat templates: prompts and turns are those of `transformers`, and what the policy said is never tokenised again."""

import json
from pathlib import Path
from typing import Any

import pytest
from published import byte_pairs, random_model

from autotroph.core.budget import Meter
from autotroph.core.errors import AutotrophError
from autotroph.core.policy import Policy
from autotroph.core.protocols import SamplingParams
from autotroph.core.task import Task
from autotroph.models.chat import Chat
from autotroph.models.engine import Engine
from autotroph.models.episode import expert_trace, play
from autotroph.models.rollout import gold_trace
from autotroph.models.tokenizer import TextTokenizer
from autotroph.models.transformer import ModelConfig
from autotroph.tasks.registry import task_family

transformers = pytest.importorskip("transformers")

HEADERS = """{{- bos_token }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
    {{- message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
"""As in Llama 3."""

CHATML = """{% for message in messages %}
{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' }}
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""

SYSTEM = """{%- if tools is not none %}{{- raise_exception('no tools here') }}{%- endif %}
{%- set ns = namespace(system='You answer in <5> words.') %}
{%- if messages[0].role == 'system' %}{% set ns.system = messages[0].content %}{% endif %}
{{- '<|im_start|>system\\n' + ns.system + '<|im_end|>\\n' }}
{%- for message in messages %}
    {%- if message.role == 'system' %}{% continue %}{% endif %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}{{- message.content + '<|im_end|>' }}{% endgeneration %}{{- '\\n' }}
    {%- else %}
        {{- '<|im_start|>' ~ message.role ~ ' ' ~ (message.role | tojson) ~ '\\n' ~ message.content ~ '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}
"""
"""One that is there unless another is given, with much of what templates of Qwen and SmolLM use."""

LLAMA = {"bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}
QWEN = {"eos_token": "<|im_end|>", "pad_token": "<|endoftext|>"}
MARKS = ["<|start_header_id|>", "<|end_header_id|>", "<|im_start|>"]
KINDS = {"headers": (HEADERS, LLAMA), "chatml": (CHATML, QWEN), "system": (SYSTEM, QWEN)}
TEXTS = ["2+2=", "", "  two\n lines ", 'é "quoted" <b>{{ 7 }}</b> {% if %}', "<|im_end|>", "the quick brown fox"]


@pytest.fixture(params=KINDS)
def theirs(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    """A tokenizer of `transformers` with a chat template, saved where ours is then loaded from."""
    template, specials = KINDS[request.param]
    backend = byte_pairs([*specials.values(), *MARKS])
    made = transformers.PreTrainedTokenizerFast(tokenizer_object=backend, chat_template=template, **specials)
    made.save_pretrained(tmp_path)
    return made


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[i % 2], "content": text} for i, text in enumerate(texts)]


def ids_of(tokenizer: Any, messages: list[dict[str, str]], reply: bool = True) -> list[int]:
    found = tokenizer.apply_chat_template(messages, add_generation_prompt=reply, tokenize=True, return_dict=False)
    return list(found)


def test_prompts_equal_apply_chat_template(theirs: Any, tmp_path: Path) -> None:
    ours = TextTokenizer.load(tmp_path)
    assert ours.chat is not None
    system = [{"role": "system", "content": "Be kind."}]
    for text in TEXTS:
        assert ours.prompt(text) == ids_of(theirs, said(text))
        for messages in (said(text, "so", text), system + said(text)):
            for reply in (True, False):
                expected = theirs.apply_chat_template(messages, add_generation_prompt=reply, tokenize=False)
                assert ours.chat.render(messages, reply=reply) == expected
    assert len(ours.prompt("")) > 3


def test_turns_equal_apply_chat_template_and_answers_stay_as_they_were(theirs: Any, tmp_path: Path) -> None:
    """With an answer that its own tokens end, that another token ends, and that nothing ends."""
    ours = TextTokenizer.load(tmp_path)
    for text in TEXTS:
        answer = ours.encode("five")
        whole = ids_of(theirs, said("how many", "five", text))
        ended = [*ours.prompt("how many"), *answer, ours.eos_id]
        assert ended + ours.turn(text, last=ours.eos_id) == whole
        assert ended[:-1] + ours.turn(text, last=answer[-1]) == whole
    odd = [ours.backend.token_to_id(letter) for letter in "five"]
    assert odd != answer
    shown = [*ours.prompt("how many"), *odd, ours.eos_id, *ours.turn("ok", last=ours.eos_id)]
    assert ours.decode(shown) == ours.decode(ids_of(theirs, said("how many", "five", "ok")))


def test_gold_answers_and_experts_are_whole_conversations(theirs: Any, tmp_path: Path) -> None:
    ours, family = TextTokenizer.load(tmp_path), task_family("maze_walk")
    gold = gold_trace(Task.of("sum", "2+2=", "4"), ours)
    assert gold.ids == tuple(ids_of(theirs, said("2+2=", "4"), reply=False)[: len(gold.ids)])
    for task in family.generate(3, 3, seed=0):
        trace, environment, texts = expert_trace(task, family, ours), family.start(task), [task.prompt]
        for action in family.expert(task):
            texts += [action, environment.step(action).observation]
        whole = ids_of(theirs, said(*texts[:-1]), reply=False)
        assert trace.ids == tuple(whole[: len(trace.ids)])
        learnt = [token for token, sampled in zip(trace.ids, trace.sampled, strict=True) if sampled]
        assert learnt.count(ours.eos_id) == len(family.expert(task)) > 1


def test_an_episode_is_what_was_sampled_and_the_turns_between(theirs: Any, tmp_path: Path) -> None:
    ours, family = TextTokenizer.load(tmp_path), task_family("maze_walk")
    shape = ModelConfig(vocab_size=len(ours), hidden_size=16, intermediate_size=16, num_hidden_layers=1, head_dim=16)
    engine = Engine(random_model(shape), ours, Policy("test", "weights", "nowhere"), Meter())
    task = family.generate(3, 1, seed=0)[0]
    for trace in play([task], family, engine, SamplingParams(max_tokens=3), n=4, seed=0)[0].traces:
        environment, rest = family.start(task), list(trace.ids)
        expected, sampled = ours.prompt(task.prompt), list(trace.sampled)
        while len(expected) < len(rest):
            begin = len(expected)
            action = rest[begin : begin + 3]
            action = action[: action.index(ours.eos_id) + 1] if ours.eos_id in action else action
            turn = environment.step(ours.decode(action))
            assert all(sampled[begin : begin + len(action)])
            expected += action
            if not turn.done:
                said_back = ours.turn(turn.observation, last=action[-1])
                assert not any(sampled[len(expected) : len(expected) + len(said_back)])
                expected += said_back
        assert expected == rest


def test_templates_survive_being_saved_as_ours(theirs: Any, tmp_path: Path) -> None:
    ours = TextTokenizer.load(tmp_path)
    (tmp_path / "ours").mkdir()
    ours.save(tmp_path / "ours")
    again = TextTokenizer.load(tmp_path / "ours")
    loaded = transformers.AutoTokenizer.from_pretrained(tmp_path / "ours")
    for text in TEXTS:
        assert again.prompt(text) == ours.prompt(text) == ids_of(loaded, said(text))
    assert again.stop_ids[0] == ours.stop_ids[0]


@pytest.mark.parametrize("listed", [False, True])
def test_templates_in_the_tokenizers_own_file(theirs: Any, tmp_path: Path, listed: bool) -> None:
    expected = TextTokenizer.load(tmp_path).prompt("2+2=")
    template = tmp_path / "chat_template.jinja"
    named = [{"name": "tool_use", "template": "no"}, {"name": "default", "template": template.read_text()}]
    path = tmp_path / "tokenizer_config.json"
    described = json.loads(path.read_text()) | {"chat_template": named if listed else template.read_text()}
    template.unlink()
    path.write_text(json.dumps(described))
    assert TextTokenizer.load(tmp_path).prompt("2+2=") == expected


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{% for", "unexpected 'end of template'"),
        ("{{ messages[0].content }}", "does not show what the assistant says"),
        ("{{ raise_exception('roles must alternate') }}", "roles must alternate"),
        ("{{ messages.__class__.__mro__ }}", "unsafe"),
        ("{{ messages.append(1) }}", "unsafe|not safely callable"),
        ("{% include '/etc/passwd' %}", "no loader"),
        ("{{ strftime_now('%d') }}", "'strftime_now' is undefined"),
        ("{{ range(10 ** 9) | list }}", "too big"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ messages[0].content + 1 }}", "concatenate"),
    ],
)
def test_a_template_that_fails_or_reaches_out_is_refused_in_one_line(template: str, reason: str) -> None:
    with pytest.raises(AutotrophError, match=reason) as caught:
        Chat(template, {})
    assert "take it out of the checkpoint" in str(caught.value)
    assert "\n" not in str(caught.value)
