"""Draws training sentences from patterns.txt."""

import random
import re
from collections import defaultdict
from pathlib import Path

CHOICE = re.compile(r"\{([^{}]*)\}")
SLOT = re.compile(r"<(\w+)>")


class Patterns:
    """The slots and, for every intent, the patterns of one file."""

    def __init__(self, path: Path):
        self.slots: dict[str, list[str]] = {}
        self.intents: dict[str, list[str]] = {}
        patterns = None
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.strip() or line.startswith("#"):
                continue
            if section := re.fullmatch(r"\[(\w+)\]", line):
                patterns = self.intents.setdefault(section[1], [])
            elif patterns is None:
                name, values = line.split(" = ", 1)
                self.slots[name] = values.split("|")
            else:
                patterns.append(line)

    def draw(self, intent: str, rng: random.Random) -> str:
        """One sentence of an intent."""
        text = rng.choice(self.intents[intent])
        # Innermost choices first; a slot is filled only once no choice is left, so dropped slots cost nothing.
        while CHOICE.search(text):
            text = CHOICE.sub(lambda match: rng.choice(match[1].split("|")), text, count=1)
        while SLOT.search(text):
            text = SLOT.sub(lambda match: rng.choice(self.slots[match[1]]), text)
        text = re.sub(r" ([,.?!])", r"\1", " ".join(text.split()))
        text = text.replace("??", "?")
        return text[0].upper() + text[1:] if rng.random() < 0.5 else text


class NearDuplicates:
    """Finds texts that share most of their character 4-grams with one of a set."""

    def __init__(self, texts: list[str], threshold: float = 0.6):
        self.threshold = threshold
        self.grams = [self.of(text) for text in texts]
        self.having: dict[str, list[int]] = defaultdict(list)
        for index, grams in enumerate(self.grams):
            for gram in grams:
                self.having[gram].append(index)

    @staticmethod
    def of(text: str) -> set[str]:
        folded = " ".join(text.lower().split())
        return {folded[i : i + 4] for i in range(len(folded) - 3)} or {folded}

    def has(self, text: str) -> bool:
        grams = self.of(text)
        shared: dict[int, int] = defaultdict(int)
        for gram in grams:
            for index in self.having.get(gram, ()):
                shared[index] += 1
        return any(
            count / (len(grams) + len(self.grams[index]) - count) >= self.threshold
            for index, count in shared.items()
        )
