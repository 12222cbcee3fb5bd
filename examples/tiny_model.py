"""Write a Llama model of random weights, small enough to build anew at every start.

The file is a true GGUF: llama.cpp loads it, applies its chat template, samples from it and counts its tokens. Only
the words are noise. One hidden dimension is held constant through the network, so that an output row's first weight
works as a bias: words are likelier than raw bytes, and most answers end by themselves within some hundred tokens.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gguf
import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

MODEL_NAME = "dragoman-tiny"
HIDDEN = 64
FEED_FORWARD = 160
HEADS = 4
LAYERS = 2
CONTEXT_TOKENS = 8192
SEED = 20

WORDS = (
    "a and away bridge by city come desert evening far fire from gate go guide harbour he her here hill home horse "
    "house in into it lamp letter light long market merchant messenger moon morning mountain of old on one over paper "
    "river road salt say sea she silk sky song stone tea the their then there they to tower traveller tree two "
    "under village walk wall water well wind with word"
).split()

CONSTANT = 8.0  # value of the constant dimension in every embedding, against noise of about 1 in the others
WORD_BIAS, END_BIAS, ASCII_BIAS, NEVER_BIAS = 1.0, 1.8, -2.0, -12.0

END_TOKEN = 2
FIRST_BYTE = 3
TOOL_CALL_TOKEN = FIRST_BYTE + 256
TOOL_CALL_END_TOKEN = TOOL_CALL_TOKEN + 1
FIRST_WORD = TOOL_CALL_END_TOKEN + 1

ONE_TOOL_CALL = {str(TOOL_CALL_TOKEN): 40, str(TOOL_CALL_END_TOKEN): 30, str(END_TOKEN): 20}
"""`logit_bias` that makes the model call one tool, which it never does unasked.

The first token says a few words and opens a call, the second closes it, the third ends the answer; between them the
server's grammar holds the arguments to the tool's schema. Line breaks keep the tokens out of the arguments' strings.
"""

# llama.cpp learns from the template how tool calls are written, and holds the answer to it by a grammar.
CHAT_TEMPLATE = """\
{%- if tools %}{{- 'system\\n<tools>' }}
{%- for tool in tools %}{{- '\\n' }}{{- tool | tojson }}{%- endfor %}{{- '\\n</tools>\\n' }}{%- endif %}
{%- for message in messages %}
{%- if message.role == 'assistant' %}{{- 'assistant\\n' }}{%- if message.content %}{{- message.content }}{%- endif %}
{%- for tool_call in message.tool_calls or [] %}
{{- '\\n<tool_call>\\n{"name": "' }}{{- tool_call.function.name }}
{{- '", "arguments": ' }}{{- tool_call.function.arguments | tojson }}{{- '}\\n</tool_call>' }}
{%- endfor %}{{- '\\n' }}
{%- else %}{{- message.role + '\\n' + message.content + '\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- 'assistant\\n' }}{%- endif %}"""


def _vocabulary() -> tuple[list[str], list[int]]:
    """Return the tokens and their kinds: three control tokens, every byte, a tool call's two ends, the words."""
    kind = gguf.TokenType
    rows = [("<unk>", kind.UNKNOWN), ("<s>", kind.CONTROL), ("</s>", kind.CONTROL)]
    rows += [(f"<0x{value:02X}>", kind.BYTE) for value in range(256)]
    rows += [("I ask:\n<tool_call>\n", kind.USER_DEFINED), ("\n</tool_call>", kind.USER_DEFINED)]
    rows += [(f"\u2581{word}", kind.NORMAL) for word in WORDS]
    return [token for token, _ in rows], [int(kind) for _, kind in rows]


def _add_vocabulary(writer: gguf.GGUFWriter, tokens: list[str], kinds: list[int]) -> None:
    writer.add_tokenizer_model("llama")
    writer.add_token_list(tokens)
    writer.add_token_scores([0.0] * len(tokens))
    writer.add_token_types(kinds)
    writer.add_unk_token_id(0)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(END_TOKEN)
    writer.add_add_space_prefix(False)  # else the tokens of the generation prompt break a grammar that starts with it
    writer.add_chat_template(CHAT_TEMPLATE)


def _add_shape(writer: gguf.GGUFWriter, vocabulary_size: int) -> None:
    writer.add_name(MODEL_NAME)
    writer.add_context_length(CONTEXT_TOKENS)
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(HEADS)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(HIDDEN // HEADS)
    writer.add_vocab_size(vocabulary_size)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)


def _weights(vocabulary_size: int) -> dict[str, Matrix]:
    random = np.random.default_rng(SEED)

    def noise(rows: int, columns: int, scale: float) -> Matrix:
        return (random.standard_normal((rows, columns)) * scale).astype(np.float32)

    embedding = noise(vocabulary_size, HIDDEN, 1.0)
    embedding[:, 0] = CONSTANT
    output = noise(vocabulary_size, HIDDEN, 0.2)
    output[:, 0] = NEVER_BIAS
    output[FIRST_BYTE + ord(" ") : FIRST_BYTE + ord("~") + 1, 0] = ASCII_BIAS
    output[FIRST_BYTE + ord("\n"), 0] = ASCII_BIAS
    output[FIRST_WORD:, 0] = WORD_BIAS
    output[END_TOKEN, 0] = END_BIAS
    weights = {
        "token_embd.weight": embedding,
        "output_norm.weight": np.ones(HIDDEN, dtype=np.float32),
        "output.weight": output,
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        for name in ("attn_q", "attn_k", "attn_v"):
            weights[f"{block}{name}.weight"] = noise(HIDDEN, HIDDEN, 0.2)
        weights[f"{block}ffn_gate.weight"] = noise(FEED_FORWARD, HIDDEN, 0.2)
        weights[f"{block}ffn_up.weight"] = noise(FEED_FORWARD, HIDDEN, 0.2)
        into_stream = {"attn_output": noise(HIDDEN, HIDDEN, 0.2), "ffn_down": noise(HIDDEN, FEED_FORWARD, 0.2)}
        for name, matrix in into_stream.items():
            matrix[0, :] = 0.0
            weights[f"{block}{name}.weight"] = matrix
        for name in ("attn_norm", "ffn_norm"):
            weights[f"{block}{name}.weight"] = np.ones(HIDDEN, dtype=np.float32)
    return weights


def write_tiny_model(path: Path) -> Path:
    """Write the model to `path` (about 600 kB, the same bytes every time) and return `path`."""
    tokens, kinds = _vocabulary()
    writer = gguf.GGUFWriter(path, "llama")
    _add_shape(writer, len(tokens))
    _add_vocabulary(writer, tokens, kinds)
    for name, matrix in _weights(len(tokens)).items():
        writer.add_tensor(name, matrix)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


if __name__ == "__main__":
    print(write_tiny_model(Path(sys.argv[1])))
