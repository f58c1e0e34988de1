"""The language model: that it is a probability, the values one computes by hand, and the file it gave."""

import json
import lzma
import math

import pytest

from softmax_lib import softmax
from softmax_lib.examples import next_words
from tools.train_next_word import OUTPUT, TEXT, UNKNOWN, KneserNey, Reader, train, written

WHOLE = lzma.decompress(TEXT.read_bytes()).decode()
LINES = WHOLE.splitlines(keepends=True)
TENTH = "".join(LINES[: len(LINES) // 10])


@pytest.fixture(scope="module")
def reader():
    return Reader(TENTH)


@pytest.fixture(scope="module")
def model(reader):
    return KneserNey(reader.training, 4)


@pytest.mark.parametrize(
    "history",
    ["", ".", "She was very", "It is a", "very very very very", "Elinor Elinor", "a sofa of", "zebra quagga"],
)
def test_the_probabilities_of_all_words_sum_to_one(model, reader, history):
    assert math.fsum(model.probability(word, reader.read(history)) for word in model.vocabulary) == pytest.approx(1)


# Pairs in "ababacabc": ab 3, ba 2, ac 1, bc 1, ca 1. Their discount is 3 / (3 + 2·1) = 3/5.
# Different words before each: a 2 (b, c), b 1 (a), c 2 (a, b), 5 in all; discount 1 / (1 + 2·2) = 1/5.
# One word, p(w) = (number − 1/5) / 5 + (1/5 · 3) / 5 · 1/3: a 0.4, b 0.2, c 0.4.
# After a: b 3, c 1, so p = (count − 3/5) / 4 + (3/5 · 2) / 4 · p(w).
@pytest.mark.parametrize(
    ("history", "word", "p"),
    [
        ([], "a", 0.4),
        ([], "b", 0.2),
        (["a"], "a", 0.3 * 0.4),
        (["a"], "b", 2.4 / 4 + 0.3 * 0.2),
        (["a"], "c", 0.4 / 4 + 0.3 * 0.4),
        (["c"], "a", 0.4 / 1 + 0.6 * 0.4),
        (["never seen"], "c", 0.4),
        (["b", "a"], "b", 2.4 / 4 + 0.3 * 0.2),  # only the last word counts
    ],
)
def test_a_tiny_text_gives_the_values_computed_by_hand(history, word, p):
    assert KneserNey(list("ababacabc"), 2).probability(word, history) == pytest.approx(p, rel=1e-15)


def test_perplexity_is_the_inverse_of_the_geometric_mean():
    p_b_after_a, p_c_after_b = 0.66, 0.4 / 3 + 0.4 * 0.4
    tiny = KneserNey(list("ababacabc"), 2)
    assert tiny.perplexity(["a", "b", "c"]) == pytest.approx((p_b_after_a * p_c_after_b) ** -0.5)


def test_a_text_is_read_into_words_and_marks():
    known = 'The cat sat--"_well_", said Mr. Emma; the cat sat: well, said Mr Emma?\n'
    reader = Reader("\n" + known * 2)
    assert reader.read('"THE cat," said Mr. Emma--a dog!') == [
        *("the", "cat", ",", "said", "Mr", "Emma", "--", UNKNOWN, UNKNOWN, UNKNOWN)
    ]


def test_every_twentieth_paragraph_is_held_out():
    reader = Reader("".join(f"word{'abcdefghijklmnopqrstuvwxyz'[n]} " * 2 + "\n" for n in range(22)))
    assert len(reader.training) == 2 * 20
    assert reader.held_out == [UNKNOWN] * 4  # the first and the twenty-first


def test_a_tenth_of_the_text_gives_the_stored_values():
    result = train(TENTH)
    assert result["model"]["n-grams"] == 145287
    assert result["model"]["held-out perplexity"] == 103.7
    after = {prompt["text"]: prompt for prompt in result["prompts"]}
    assert after["My dear"]["logits"][0] == -1.385  # "madam", where a sentence opens; -2.637 elsewhere
    door = after["She opened the"]
    assert door["words"][:4] == ["door", "front", "piano-forte", "house"]
    assert door["logits"][:4] == [-3.106, -3.191, -3.191, -4.299]
    assert door["share"] == 0.358


@pytest.mark.slow
def test_the_stored_file_is_what_the_whole_training_gives():
    assert OUTPUT.read_text(encoding="utf-8") == written(train(WHOLE))


def test_the_stored_words_are_fit_to_be_shown():
    stored = json.loads(OUTPUT.read_text(encoding="utf-8"))
    assert len({prompt["text"] for prompt in stored["prompts"]}) == 12
    for prompt in stored["prompts"]:
        assert 0.5 < prompt["share"] < 1
        assert len(set(prompt["words"])) == len(prompt["words"]) == len(prompt["logits"]) == 40
        assert all(word[0].isalpha() and word != UNKNOWN for word in prompt["words"])
        assert prompt["logits"] == sorted(prompt["logits"], reverse=True)
        assert math.fsum(map(math.exp, prompt["logits"])) == pytest.approx(prompt["share"], abs=1e-3)


def test_next_words_go_from_the_surest_to_the_most_open():
    firsts = [softmax(prompt.logits)[0] for prompt in next_words()]
    assert firsts[0] > 0.99
    assert firsts[-1] < 0.15
    assert [prompt.text for prompt in next_words()] == [
        prompt["text"] for prompt in json.loads(OUTPUT.read_text(encoding="utf-8"))["prompts"]
    ]
