"""Train a small language model on Jane Austen's six novels: `python -m tools.train_next_word`.

It writes `softmax_lib/next_words.json`: the likeliest next words after a dozen beginnings of
sentences, with their logits. Training is counting: half a minute, no network, the same bytes on
every machine.
"""

import hashlib
import json
import lzma
import math
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

TEXT = Path(__file__).parent / "next_word" / "austen.txt.xz"
OUTPUT = Path(__file__).parents[1] / "softmax_lib" / "next_words.json"
ORDER = 4  # a word is predicted from the three before it: from four, perplexity falls by 0.3 % only
SHOWN = 40
PROMPTS = (  # from the surest to the most open
    "He shook his",
    "Half an",
    "The next",
    "How do you",
    "I shall never",
    "I should like to",
    "She opened the",
    "At the end of the",
    "You are too",
    "My dear",
    "He was a very",
    "It is very",
)

TITLE = re.compile(r"\b(Mrs?|Dr|St)\.")  # its full stop ends no sentence, and Persuasion writes none
TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|[.,;:!?]|--")  # drops quotation marks and _emphasis_
UNKNOWN = "<unknown>"


class KneserNey:
    """Interpolated Kneser–Ney smoothing of an n-gram model.

    p(w | h) = max(c(h w) − d, 0) / c(h) + d n(h) / c(h) · p(w | h′), where h′ is h without its first
    word and n(h) is the number of different words seen after h. For the longest h, c counts in the
    text; for a shorter one, c(h w) is the number of different words seen before h w, as a word that
    follows few words is a poor guess after the others. c(h) is the sum of c(h w) over w. Each length
    has its discount d = n₁ / (n₁ + 2 n₂), n₁ and n₂ being how many c(h w) are 1 and 2. Below the
    empty h lies 1 / |vocabulary|.

    R. Kneser and H. Ney, "Improved backing-off for m-gram language modeling", ICASSP 1995; S. F. Chen
    and J. Goodman, "An empirical study of smoothing techniques for language modeling", 1999.
    """

    def __init__(self, tokens: Sequence[str], order: int):
        """Count the runs of `order` tokens, and from them all shorter ones."""
        self.vocabulary = sorted(set(tokens))
        self.counts = [defaultdict(Counter) for _ in range(order)]  # by length of h: h, then w, to c(h w)
        for *history, word in zip(*(tokens[start:] for start in range(order)), strict=False):
            self.counts[-1][tuple(history)][word] += 1
        for length in reversed(range(order - 1)):
            for history, followers in self.counts[length + 1].items():
                self.counts[length][history[1:]].update(followers.keys())
        self.totals = {h: followers.total() for counts in self.counts for h, followers in counts.items()}
        self.discounts = []
        for counts in self.counts:
            number = Counter(count for followers in counts.values() for count in followers.values())
            self.discounts.append(number[1] / (number[1] + 2 * number[2]))

    def probability(self, word: str, history: Sequence[str]) -> float:
        """p(word | history), of which only the last `order` − 1 words matter."""
        p = 1 / len(self.vocabulary)
        for length, (counts, d) in enumerate(zip(self.counts, self.discounts, strict=True)):
            h = tuple(history[len(history) - length :]) if length <= len(history) else None
            if h in counts:
                p = (max(counts[h][word] - d, 0.0) + d * len(counts[h]) * p) / self.totals[h]
        return p

    def perplexity(self, tokens: Sequence[str]) -> float:
        """exp of the mean of −ln p over all tokens that have `order` − 1 before them."""
        past = len(self.counts) - 1
        surprise = [-math.log(self.probability(tokens[i], tokens[i - past : i])) for i in range(past, len(tokens))]
        return math.exp(math.fsum(surprise) / len(surprise))


class Reader:
    """Turns text into tokens, and divides `text` into `training` and `held_out`, every twentieth paragraph."""

    def __init__(self, text: str):
        paragraphs = text.splitlines()
        self.written = Counter(TOKEN.findall(text))
        training = self.tokens("\n".join(line for number, line in enumerate(paragraphs) if number % 20))
        # A token seen once is unknown: so the model learns what stands around words it does not know.
        self.known = {token for token, count in Counter(training).items() if count > 1}
        self.training = self.replace(training)
        self.held_out = self.read("\n".join(paragraphs[::20]))

    def tokens(self, text: str) -> list[str]:
        """The tokens of `text`, each as it is mostly written: "The" is "the", and "Emma" is "Emma"."""
        found = TOKEN.findall(TITLE.sub(r"\1", text))
        return [low if self.written[low := token.lower()] > self.written[token] else token for token in found]

    def replace(self, tokens: list[str]) -> list[str]:
        """The tokens, with `UNKNOWN` for those that are not known."""
        return [token if token in self.known else UNKNOWN for token in tokens]

    def read(self, text: str) -> list[str]:
        """The tokens of `text`, all of them known."""
        return self.replace(self.tokens(text))


def continuations(model: KneserNey, reader: Reader, prompt: str) -> dict[str, object]:
    """The `SHOWN` likeliest words after `prompt`, which opens a sentence: no marks, nor the unknown word."""
    history = [".", *reader.read(prompt)]
    after = {word: model.probability(word, history) for word in model.vocabulary if word[0].isalpha()}
    logits = {word: round(math.log(p), 3) for word, p in after.items()}
    words = sorted(logits, key=lambda word: (-logits[word], word))[:SHOWN]
    share = math.fsum(after[word] for word in words)
    return {"text": prompt, "share": round(share, 3), "words": words, "logits": [logits[word] for word in words]}


def train(text: str) -> dict[str, object]:
    """All that `next_words.json` says, for a model trained on `text`, one paragraph a line."""
    say("reading")
    reader = Reader(text)
    say(f"counting {len(reader.training):,} tokens")
    model = KneserNey(reader.training, ORDER)
    say(f"measuring the perplexity on {len(reader.held_out):,} tokens")
    perplexity = model.perplexity(reader.held_out)
    say(f"{perplexity:.1f}; predicting")
    return {
        "text": {
            "title": "Sense and Sensibility; Pride and Prejudice; Mansfield Park; Emma; Northanger Abbey; Persuasion",
            "author": "Jane Austen",
            "year": "1811-1817",
            "licence": "public domain",
            "source": "the R package janeaustenr 1.0.0; see tools/next_word/README.md",
            "words": len(text.split()),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
        },
        "model": {
            "is": f"a {ORDER}-gram model with interpolated Kneser-Ney smoothing, over words and punctuation marks",
            "training tokens": len(reader.training),
            "vocabulary": len(model.vocabulary),
            "n-grams": sum(len(followers) for counts in model.counts for followers in counts.values()),
            "held-out tokens": len(reader.held_out),
            "held-out text": "every twentieth paragraph",
            "held-out perplexity": round(perplexity, 1),
            "command": "python -m tools.train_next_word",
        },
        "note": f"The {SHOWN} likeliest words, without punctuation marks and the unknown word; share is their part of "
        "the whole probability. The logits are natural logarithms of probabilities: logits count up to a constant.",
        "prompts": [continuations(model, reader, prompt) for prompt in PROMPTS],
    }


def written(result: dict[str, object]) -> str:
    """The result as JSON, with a line for each list."""
    return (
        re.sub(r"\[[^][{}]*\]", lambda found: f"[{' '.join(found[0][1:-1].split())}]", json.dumps(result, indent=1))
        + "\n"
    )


def say(progress: str) -> None:
    print(progress, file=sys.stderr, flush=True)


def main() -> None:
    text = lzma.decompress(TEXT.read_bytes()).decode()
    OUTPUT.write_text(written(train(text)), encoding="utf-8", newline="\n")
    say(f"wrote {OUTPUT.name}")


if __name__ == "__main__":
    main()
