import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from autotroph.core.errors import AutotrophError
from autotroph.models.tokenizer import TextTokenizer

ALPHABET = "abc 0+\n="


@given(st.text(alphabet=ALPHABET))
def test_characters_round_trip(text: str) -> None:
    tokenizer = TextTokenizer.characters(ALPHABET)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert len(tokenizer.encode(text)) == len(text)


def test_words_round_trip_and_unknown() -> None:
    tokenizer = TextTokenizer.words(["how many legs, Ann?", "many hens."])
    assert tokenizer.decode(tokenizer.encode("how many hens?")) == "how many hens?"
    assert len(tokenizer.encode("how many hens?")) == 4
    assert tokenizer.decode(tokenizer.encode("how xyz")) == "how"


def test_special_tokens_never_come_out_of_text() -> None:
    tokenizer = TextTokenizer.characters("<>eos")
    assert tokenizer.eos_id not in TextTokenizer.characters("abc").encode("abc")
    assert len(tokenizer) == 9


def test_saved_and_loaded_are_equal(tmp_path) -> None:
    tokenizer = TextTokenizer.characters(ALPHABET)
    tokenizer.save(tmp_path)
    assert TextTokenizer.load(tmp_path).encode("a0=") == tokenizer.encode("a0=")


def test_damaged_file_names_the_way_out(tmp_path) -> None:
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(AutotrophError, match=r"tokenizer\.json"):
        TextTokenizer.load(tmp_path)


def named(*descriptions: dict) -> TextTokenizer:
    """One with tokens 0 to 3, none of which is named as ours are."""
    backend = Tokenizer(WordLevel({"<end>": 0, "<fill>": 1, "a": 2, "<stop>": 3}, unk_token="a"))
    return TextTokenizer(backend, descriptions)


def test_special_tokens_by_name_or_id_the_most_telling_file_first() -> None:
    tokenizer = named({"eos_token": {"content": "<stop>"}, "pad_token": "<fill>"}, {"eos_token_id": [0, 3]})
    assert (tokenizer.eos_id, tokenizer.stop_ids, tokenizer.pad_id, tokenizer.bos_id) == (3, (3, 0), 1, 1)
    assert tokenizer.opening == ()


def test_ids_without_an_embedding_are_no_tokens() -> None:
    tokenizer = named({"eos_token_id": 0, "pad_token_id": -1, "bos_token_id": 3, "vocab_size": 3})
    assert (tokenizer.pad_id, tokenizer.bos_id) == (0, 0)


def test_a_tokenizer_that_nothing_ends_is_refused() -> None:
    with pytest.raises(AutotrophError, match="name eos_token in tokenizer_config"):
        named({"pad_token": "<fill>"})


def test_a_damaged_description_is_named(tmp_path) -> None:
    TextTokenizer.characters("ab").save(tmp_path)
    (tmp_path / "generation_config.json").write_text("{")
    with pytest.raises(AutotrophError, match=r"generation_config\.json"):
        TextTokenizer.load(tmp_path)
