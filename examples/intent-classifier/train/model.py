"""The network in PyTorch, and the path from text to token ids.

`src/model.rs` and `src/text.rs` are the same two things in Rust; `tests/logits.rs` holds them together.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional


@dataclass(frozen=True)
class Config:
    """What config.json holds; see `src/config.rs` for the meaning of each field."""

    name: str
    vocabulary: int
    width: int
    layers: int
    heads: int
    feed_forward: int
    max_tokens: int
    max_bytes: int
    norm_epsilon: float
    labels: list[str]


class Layer(nn.Module):
    """One pre-norm transformer layer."""

    def __init__(self, config: Config, dropout: float):
        super().__init__()
        width = config.width
        self.heads = config.heads
        self.dropout = nn.Dropout(dropout)
        self.norm1 = nn.LayerNorm(width, eps=config.norm_epsilon)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm2 = nn.LayerNorm(width, eps=config.norm_epsilon)
        self.up = nn.Linear(width, config.feed_forward)
        self.down = nn.Linear(config.feed_forward, width)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        batch, tokens, width = x.shape
        qkv = self.qkv(self.norm1(x)).view(batch, tokens, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        x = x + self.dropout(self.out(mixed.transpose(1, 2).reshape(batch, tokens, width)))
        return x + self.dropout(self.down(functional.gelu(self.up(self.norm2(x)))))


class IntentModel(nn.Module):
    """Token ids [batch, tokens] to logits [batch, labels]."""

    def __init__(self, config: Config, dropout: float = 0.0):
        super().__init__()
        self.token = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Embedding(config.max_tokens, config.width)
        self.layers = nn.ModuleList(Layer(config, dropout) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width, eps=config.norm_epsilon)
        self.head = nn.Linear(config.width, len(config.labels))
        self.dropout = nn.Dropout(dropout)

    def encode(self, ids: Tensor, real: Tensor | None = None, first: Tensor | None = None) -> Tensor:
        """One row per token.

        `real` is False at padding; without it every token is real. `first` is the position of each text's
        first token, 0 without it.
        """
        positions = torch.arange(ids.shape[1], device=ids.device)
        if first is not None:
            positions = first[:, None] + positions
        x = self.dropout(self.token(ids) + self.position(positions))
        mask = None if real is None else real[:, None, None, :]
        for layer in self.layers:
            x = layer(x, mask)
        return self.norm(x)

    def forward(self, ids: Tensor, real: Tensor | None = None, first: Tensor | None = None) -> Tensor:
        rows = self.encode(ids, real, first)
        if real is None:
            mean = rows.mean(1)
        else:
            mean = (rows * real[:, :, None]).sum(1) / real.sum(1, keepdim=True)
        return self.head(self.dropout(mean))


def encode_text(tokenizer: Tokenizer, config: Config, text: str) -> tuple[list[int], bool]:
    """Token ids of a text, cut first by bytes and then by tokens, and whether anything was cut."""
    data = text.encode()
    head = data[: config.max_bytes].decode(errors="ignore")
    ids = tokenizer.encode(head).ids
    return ids[: config.max_tokens], len(data) > config.max_bytes or len(ids) > config.max_tokens


def load_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer, with its own truncation and padding off and "[CLS]" in a message plain text."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokenizer.encode_special_tokens = True
    return tokenizer


def load(folder: Path) -> tuple[Config, Tokenizer, IntentModel]:
    """A trained model in f32, computed from its stored f16 weights, ready for inference."""
    config = Config(**json.loads((folder / "config.json").read_text()))
    model = IntentModel(config)
    model.load_state_dict({name: t.float() for name, t in load_file(folder / "model.safetensors").items()})
    return config, load_tokenizer(folder / "tokenizer.json"), model.eval()


def read_texts(path: Path) -> list[dict]:
    """The messages of one data set, each with `id`, `text` and `expected`."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
