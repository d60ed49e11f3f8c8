"""Trains the intent classifier and writes everything that the example ships of it.

Written: model/config.json, model/tokenizer.json, model/model.safetensors, model/README.md (the model card) and
tests/logits.json (test vectors). Only the train set is learnt from. The benchmark set is scored at the
end, for the card; the production set is not scored at all. To choose settings, use --holdout: it scores a part
of the train set that was kept back, and writes nothing.
"""

import argparse
import copy
import json
import math
import platform
import random
import time
from datetime import date
from pathlib import Path

import numpy
import safetensors
import tokenizers
import torch
from model import Config, IntentModel, encode_text, load, load_tokenizer, read_texts
from patterns import NearDuplicates, Patterns
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from torch import Tensor
from torch.nn import functional

EXAMPLE = Path(__file__).resolve().parent.parent
SPECIAL = ["[PAD]", "[UNK]", "[CLS]"]
PAD, UNK, CLS = range(3)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--data", type=Path, default=EXAMPLE / "data", help="folder with the three data sets")
    parser.add_argument("--out", type=Path, default=EXAMPLE / "model", help="folder for the model")
    parser.add_argument("--vectors", type=Path, default=EXAMPLE / "tests/logits.json", help="file for the test vectors")
    parser.add_argument("--patterns", type=Path, default=EXAMPLE / "train/patterns.txt", help="sentence patterns")
    parser.add_argument("--holdout", type=float, default=0.0, help="share of the train set to keep back and score; writes nothing")
    parser.add_argument("--seed", type=int, default=20261124, help="for everything random")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads; another number gives slightly other weights")
    parser.add_argument("--epochs", type=int, default=24, help="passes over the train set")
    parser.add_argument("--batch", type=int, default=64, help="texts per step")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="highest learning rate")
    parser.add_argument("--decay", type=float, default=0.05, help="weight decay of matrices")
    parser.add_argument("--dropout", type=float, default=0.2, help="share of activations dropped")
    parser.add_argument("--unknown", type=float, default=0.1, help="share of tokens replaced by [UNK] in training")
    parser.add_argument("--smoothing", type=float, default=0.1, help="label smoothing")
    parser.add_argument("--average", type=float, default=0.995, help="decay of the running mean of the weights, which is what is kept")
    parser.add_argument("--drawn", type=int, default=2000, help="sentences drawn from the patterns, per intent")
    parser.add_argument("--drawn-per-epoch", type=int, default=150, help="of those, how many are learnt from in one epoch, per intent")
    parser.add_argument("--vocabulary", type=int, default=3200, help="most WordPiece tokens")
    parser.add_argument("--width", type=int, default=128, help="numbers per token")
    parser.add_argument("--layers", type=int, default=4, help="transformer layers")
    parser.add_argument("--heads", type=int, default=4, help="attention heads")
    parser.add_argument("--max-tokens", type=int, default=128, help="positions")
    parser.add_argument("--max-bytes", type=int, default=4096, help="bytes of text handed to the tokenizer")
    return parser.parse_args()


def train_tokenizer(texts: list[str], size: int) -> Tokenizer:
    """A lower-casing WordPiece tokenizer that puts [CLS] in front."""

    def tokenizer_with(model: models.WordPiece) -> Tokenizer:
        tokenizer = Tokenizer(model)
        tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
        tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
        return tokenizer

    learner = tokenizer_with(models.WordPiece(unk_token="[UNK]"))
    # The trainer numbers the letters inside words ("##a") in the order of a hash table, another one every time,
    # and later choices hang on these numbers. Naming the letters beforehand fixes them.
    letters = sorted({letter for text in texts for letter in learner.normalizer.normalize_str(text) if not letter.isspace()})
    inside = [f"##{letter}" for letter in letters]
    trainer = trainers.WordPieceTrainer(
        vocab_size=size, min_frequency=2, special_tokens=SPECIAL + inside, show_progress=False
    )
    learner.train_from_iterator(texts, trainer)

    vocabulary = learner.get_vocab()
    tokenizer = tokenizer_with(models.WordPiece(vocabulary, unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.add_special_tokens(SPECIAL)
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", CLS)])
    return tokenizer


def draw(patterns: Patterns, per_intent: int, known: list[str], held_out: list[str], seed: int) -> tuple[list[dict], int]:
    """New sentences from the patterns, and how many were dropped for being close to a held-out text."""
    rng = random.Random(seed)
    seen = {text.lower() for text in known}
    close = NearDuplicates(held_out)
    drawn, dropped = [], 0
    for intent in patterns.intents:
        for _ in range(per_intent):
            text = patterns.draw(intent, rng)
            if text.lower() in seen:
                continue
            seen.add(text.lower())
            if close.has(text):
                dropped += 1
            else:
                drawn.append({"text": text, "expected": intent})
    return drawn, dropped


def initialise(model: IntentModel) -> None:
    """Small matrices and large token embeddings: the model starts close to a bag of words and departs from it."""
    for name, parameter in model.named_parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.3 if name == "token.weight" else 0.02)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(parameter)


def batches(lengths: list[int], size: int, rng: random.Random) -> list[list[int]]:
    """All indices in random batches of similar length, so that little is padding."""
    order = list(range(len(lengths)))
    rng.shuffle(order)
    pools = [sorted(order[i : i + 8 * size], key=lengths.__getitem__) for i in range(0, len(order), 8 * size)]
    result = [pool[i : i + size] for pool in pools for i in range(0, len(pool), size)]
    rng.shuffle(result)
    return result


def pad(texts: list[Tensor]) -> Tensor:
    return torch.nn.utils.rnn.pad_sequence(texts, batch_first=True, padding_value=PAD)


def train(args: argparse.Namespace, config: Config, written: list, drawn: list) -> IntentModel:
    """The trained model. `written` and `drawn` are lists of (token ids, label)."""
    rng = random.Random(args.seed)
    model = IntentModel(config, args.dropout)
    initialise(model)
    average = copy.deepcopy(model).requires_grad_(False)
    matrices = [p for p in model.parameters() if p.dim() > 1]
    vectors = [p for p in model.parameters() if p.dim() < 2]
    optimizer = torch.optim.AdamW(
        [{"params": matrices, "weight_decay": args.decay}, {"params": vectors, "weight_decay": 0.0}],
        lr=args.rate,
        betas=(0.9, 0.98),
    )
    per_epoch = min(len(drawn), args.drawn_per_epoch * len(config.labels))
    steps = args.epochs * math.ceil((len(written) + per_epoch) / args.batch)
    step = 0
    model.train()
    for epoch in range(args.epochs):
        texts = written + rng.sample(drawn, per_epoch)
        total, count = 0.0, 0
        for batch in batches([len(ids) for ids, _ in texts], args.batch, rng):
            step += 1
            rate = args.rate * min(1.0, step / (0.1 * steps)) * 0.5 * (1 + math.cos(math.pi * step / steps))
            for group in optimizer.param_groups:
                group["lr"] = rate
            ids = pad([texts[i][0] for i in batch])
            labels = torch.tensor([texts[i][1] for i in batch])
            real = ids != PAD
            # Words drop out, so that no intent hangs on a single one; and texts start anywhere, so that every
            # position is trained although few texts are long.
            noisy = ids.masked_fill((torch.rand(ids.shape) < args.unknown) & (ids > CLS), UNK)
            first = torch.randint(0, config.max_tokens - ids.shape[1] + 1, (len(batch),))
            loss = functional.cross_entropy(model(noisy, real, first), labels, label_smoothing=args.smoothing)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():
                keep = min(args.average, step / (step + 10))
                for mean, parameter in zip(average.parameters(), model.parameters(), strict=True):
                    mean.lerp_(parameter, 1 - keep)
            total, count = total + loss.item(), count + 1
        print(f"epoch {epoch + 1}/{args.epochs}: loss {total / count:.3f}", flush=True)
    return average.eval()


@torch.inference_mode()
def predict(tokenizer: Tokenizer, config: Config, model: IntentModel, text: str) -> Tensor:
    ids, _ = encode_text(tokenizer, config, text)
    return model(torch.tensor([ids]))[0]


def score(tokenizer: Tokenizer, config: Config, model: IntentModel, messages: list[dict]) -> dict[str, list[str]]:
    """For every intent, what its messages were taken for."""
    answers: dict[str, list[str]] = {label: [] for label in config.labels}
    for message in messages:
        best = config.labels[int(predict(tokenizer, config, model, message["text"]).argmax())]
        answers[message["expected"]].append(best)
    return answers


def test_vectors(tokenizer: Tokenizer, config: Config, model: IntentModel, benchmark: list, production: list) -> list[dict]:
    """50 texts with their logits: both kinds of message, and the ends of the range."""
    texts = [(m["id"], m["text"]) for m in benchmark[:26] + production[:16]]
    texts += [
        ("empty", ""),
        ("one letter", "x"),
        ("unknown characters", "😀 где ящик 箱"),
        ("special tokens as text", "[CLS] where is [PAD] my parcel [UNK]"),
        ("upper case and accents", "WHERE IS MY CAFÉ TABLE, PLÉASE?"),
        ("white space", " \t where \n\n is   it ? "),
        ("over the token cap", "my parcel has not arrived and nobody answers. " * 40),
        ("over the byte cap", "Where is the refund for order 48120? é" * 300),
    ]
    vectors = []
    for source, text in texts:
        ids, truncated = encode_text(tokenizer, config, text)
        logits = [float(f"{x:.7g}") for x in predict(tokenizer, config, model, text).tolist()]
        vectors.append({"source": source, "text": text, "ids": ids, "truncated": truncated, "logits": logits})
    return vectors


def write_card(args, config, answers, sizes, facts) -> str:
    """The model card."""
    right = {label: found.count(label) for label, found in answers.items()}
    total = sum(len(found) for found in answers.values())
    rows = []
    for label, found in answers.items():
        wrong = sorted({other for other in found if other != label}, key=lambda other: (-found.count(other), other))
        confused = ", ".join(f"{other} ({found.count(other)})" for other in wrong[:2]) or "none"
        rows.append(f"| {label} | {right[label]} of {len(found)} | {100 * right[label] / len(found):.1f} % | {confused} |")
    share = sum(right.values()) / total
    return f"""# {config.name}

Sorts an English message to an online shop into one of {len(config.labels)} intents.

Written by `train/train.py` at the end of a training run; every number below comes from that run.

## Scores

Benchmark accuracy: {sum(right.values())} of {total} ({100 * share:.2f} %)

Measured at the end of the run, on `data/benchmark.jsonl`, with the stored f16 weights computed in f32, one
message at a time. No setting was chosen on these messages.
95 % interval for the accuracy on such messages (Wilson): {facts["interval"]}.

| intent | right | share | most often taken for |
|---|---|---|---|
{chr(10).join(rows)}

## Model

| | |
|---|---|
| kind | transformer encoder, pre-norm, exact GELU, learned positions, mean over tokens, linear head |
| width, layers, heads, feed-forward | {config.width}, {config.layers}, {config.heads}, {config.feed_forward} |
| vocabulary | {config.vocabulary} WordPiece tokens, lower case |
| longest message | {config.max_tokens} tokens, {config.max_bytes:,} bytes; the rest is cut off |
| parameters | {facts["parameters"]:,} |
| weights | {facts["bytes"]:,} bytes, f16 (`model.safetensors`) |
| arithmetic | f32 |

## Data

| set | messages | use |
|---|---|---|
| train | {sizes["train"]:,} | learnt from |
| drawn from `train/patterns.txt` | {sizes["drawn"]:,} | learnt from, {args.drawn_per_epoch * len(config.labels):,} of them per epoch; {sizes["dropped"]} more were dropped for being close to a benchmark or production text |
| benchmark | {sizes["benchmark"]:,} | scored, above |
| production | {sizes["production"]:,} | not used |

All texts were written for this example. Train and benchmark messages are one or two plain sentences.

## Training run

| | |
|---|---|
| date | {date.today().isoformat()} |
| command | `python train/train.py` |
| seed | {args.seed} |
| epochs, batch, highest rate | {args.epochs}, {args.batch}, {args.rate} |
| dropout, words replaced by [UNK], label smoothing, weight decay | {args.dropout}, {args.unknown}, {args.smoothing}, {args.decay} |
| kept weights | running mean, decay {args.average} |
| settings chosen on | a fifth of the train set, kept back |
| time | {facts["seconds"]:.0f} s of wall clock, {facts["cpu"]:.0f} s of processor time, {args.threads} threads |
| processor | {facts["processor"]} |
| versions | Python {platform.python_version()}, torch {torch.__version__}, tokenizers {tokenizers.__version__}, safetensors {safetensors.__version__}, numpy {numpy.__version__} |

## Limits

Trained on short, clean English sentences. Other languages, spelling mistakes, long letters and forwarded mail
are outside what it was trained on, and it has no answer for "none of these".
"""


def wilson(right: int, total: int) -> str:
    """95 % interval for a share."""
    z, p = 1.959964, right / total
    middle = (p + z * z / (2 * total)) / (1 + z * z / total)
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / (1 + z * z / total)
    return f"{100 * (middle - half):.1f} % to {100 * (middle + half):.1f} %"


def processor() -> str:
    """The processor's name as the kernel gives it."""
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor()


def main() -> None:
    args = arguments()
    started, cpu = time.time(), time.process_time()
    torch.set_num_threads(args.threads)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(args.seed)

    sets = {name: read_texts(args.data / f"{name}.jsonl") for name in ("train", "benchmark", "production")}
    written, held_out = sets["train"], sets["benchmark"] + sets["production"]
    kept_back = []
    if args.holdout:
        written = written.copy()
        random.Random(args.seed).shuffle(written)
        cut = round(len(written) * args.holdout)
        kept_back, written = written[:cut], written[cut:]
        held_out = held_out + kept_back
    texts = [message["text"] for message in written]
    drawn, dropped = draw(Patterns(args.patterns), args.drawn, texts, [m["text"] for m in held_out], args.seed)
    labels = sorted({message["expected"] for message in written})
    print(f"{len(written)} texts, {len(drawn)} drawn, {dropped} dropped, {len(labels)} intents", flush=True)

    # The written texts count three times, so that their words rather than the patterns' make the vocabulary.
    tokenizer = train_tokenizer(3 * texts + [message["text"] for message in drawn], args.vocabulary)
    config = Config(
        name="intent-classifier-1m",
        vocabulary=tokenizer.get_vocab_size(),
        width=args.width,
        layers=args.layers,
        heads=args.heads,
        feed_forward=4 * args.width,
        max_tokens=args.max_tokens,
        max_bytes=args.max_bytes,
        norm_epsilon=1e-5,
        labels=labels,
    )
    encoded = lambda messages: [
        (torch.tensor(encode_text(tokenizer, config, m["text"])[0]), labels.index(m["expected"])) for m in messages
    ]
    model = train(args, config, encoded(written), encoded(drawn))

    if args.holdout:
        answers = score(tokenizer, config, model, kept_back)
        right = sum(found.count(label) for label, found in answers.items())
        print(f"held out: {right} of {len(kept_back)} ({100 * right / len(kept_back):.2f} %), {time.time() - started:.0f} s")
        return

    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "config.json").write_text(json.dumps(vars(config), indent=2) + "\n")
    tokenizer.save(str(args.out / "tokenizer.json"))
    save_file({name: t.half().contiguous() for name, t in model.state_dict().items()}, args.out / "model.safetensors")
    (args.out / "model.safetensors").chmod(0o644)

    # From here on only what was stored counts.
    config, tokenizer, model = load(args.out)
    answers = score(tokenizer, config, model, sets["benchmark"])
    facts = {
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "bytes": (args.out / "model.safetensors").stat().st_size,
        "seconds": time.time() - started,
        "cpu": time.process_time() - cpu,
        "processor": processor(),
        "interval": wilson(sum(found.count(label) for label, found in answers.items()), len(sets["benchmark"])),
    }
    sizes = {name: len(messages) for name, messages in sets.items()} | {"drawn": len(drawn), "dropped": dropped}
    (args.out / "README.md").write_text(write_card(args, config, answers, sizes, facts))
    vectors = test_vectors(tokenizer, config, model, sets["benchmark"], sets["production"])
    lines = ",\n".join(json.dumps(vector, ensure_ascii=False) for vector in vectors)
    args.vectors.write_text(f"[\n{lines}\n]\n", encoding="utf-8")
    print(f"wrote {args.out} and {args.vectors} in {facts['seconds']:.0f} s")


if __name__ == "__main__":
    main()
