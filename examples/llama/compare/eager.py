"""The same decoder in plain PyTorch, as one would write it without a serving engine."""

import json
from pathlib import Path

import safetensors.torch
import torch
from torch.nn.functional import linear, scaled_dot_product_attention, silu


class Llama:
    """Weights of a model folder in f32, and the forward pass of one sequence."""

    def __init__(self, folder: Path):
        config = json.loads((folder / "config.json").read_text())
        self.heads = config["num_attention_heads"]
        self.kv_heads = config["num_key_value_heads"]
        self.head_dim = config["hidden_size"] // self.heads
        self.epsilon = config["rms_norm_eps"]
        self.vocabulary = config["vocab_size"]
        weights = safetensors.torch.load_file(folder / "model.safetensors")
        self.weights = {name.removeprefix("model."): tensor.float() for name, tensor in weights.items()}
        self.layers = config["num_hidden_layers"]
        self.head = self.weights["embed_tokens.weight" if config["tie_word_embeddings"] else "lm_head.weight"]
        pairs = torch.arange(0, self.head_dim, 2, dtype=torch.float64) / self.head_dim
        angles = torch.outer(torch.arange(config["max_position_embeddings"]), config["rope_theta"] ** -pairs)
        self.cos, self.sin = angles.cos().float(), angles.sin().float()

    def empty_cache(self, tokens: int) -> dict:
        shape = (self.layers, self.kv_heads, tokens, self.head_dim)
        return {"length": 0, "keys": torch.empty(shape), "values": torch.empty(shape)}

    def norm(self, x: torch.Tensor, name: str) -> torch.Tensor:
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + self.epsilon) * self.weights[f"{name}.weight"]

    def rotate(self, x: torch.Tensor, start: int) -> torch.Tensor:
        end = start + x.shape[1]
        cos, sin = self.cos[start:end], self.sin[start:end]
        low, high = x.chunk(2, -1)
        return torch.cat((low * cos - high * sin, high * cos + low * sin), -1)

    def __call__(self, tokens: torch.Tensor, cache: dict) -> torch.Tensor:
        """Logits after the last of `tokens`."""
        count, start = len(tokens), cache["length"]
        end = start + count
        x = self.weights["embed_tokens.weight"][tokens]
        for layer in range(self.layers):
            part = f"layers.{layer}"
            w = {name: self.weights[f"{part}.{name}_proj.weight"] for name in (
                "self_attn.q", "self_attn.k", "self_attn.v", "self_attn.o", "mlp.gate", "mlp.up", "mlp.down")}
            normed = self.norm(x, f"{part}.input_layernorm")
            query, key, value = (
                linear(normed, w[f"self_attn.{name}"]).view(count, -1, self.head_dim).transpose(0, 1) for name in "qkv"
            )
            cache["keys"][layer, :, start:end] = self.rotate(key, start)
            cache["values"][layer, :, start:end] = value
            attended = scaled_dot_product_attention(
                self.rotate(query, start)[None], cache["keys"][None, layer, :, :end], cache["values"][None, layer, :, :end],
                is_causal=count > 1, enable_gqa=self.heads != self.kv_heads,
            )
            x = x + linear(attended[0].transpose(0, 1).reshape(count, -1), w["self_attn.o"])
            normed = self.norm(x, f"{part}.post_attention_layernorm")
            x = x + linear(silu(linear(normed, w["mlp.gate"])) * linear(normed, w["mlp.up"]), w["mlp.down"])
        cache["length"] = end
        return linear(self.norm(x[-1], "norm"), self.head)
