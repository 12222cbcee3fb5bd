"""About how many tokens a text is, from what its characters are: no tokenizer, and nothing to download.

Byte-level tokenizers agree on much: a word of everyday length is one token or two, digits come in groups, punctuation
stands alone or in pairs, and scripts beyond Latin cost by the character. The weights below are those of a tokenizer of
100,000 entries on prose, code and JSON; what a model's own tokenizer does otherwise is in the factor of its family
(`data/tokens.json`), and then learned from what its provider reports.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["text_tokens"]

_LETTERS: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_DIGITS: Final = b"0123456789"
_OTHERS: Final = bytes(code for code in range(256) if code not in _LETTERS)
_WORDS_ALONE: Final = bytes(code if code in _LETTERS else 0x20 for code in range(256))
_NO_DIGITS: Final = bytes(code for code in range(256) if code not in _DIGITS)
_PUNCTUATION: Final = bytes(code for code in range(0x21, 0x7F) if code not in _LETTERS and code not in _DIGITS)
_NO_PUNCTUATION: Final = bytes(code for code in range(256) if code not in _PUNCTUATION)

_WORD: Final = 0.55
_LETTER: Final = 0.11
_DIGIT: Final = 0.5
_SIGN: Final = 0.7
_LINE: Final = 0.6

_UNBROKEN: Final = re.compile(rb"[A-Za-z0-9+/_=-]{28,}")
"""Identifiers, hashes, base64: no words, whatever they are spelled with."""
_UNBROKEN_BYTE: Final = 0.52

# Code points from the first number on cost so many tokens each.
_SCRIPTS: Final = (
    (re.compile("[\u0080-\u036f]"), 0.55),  # accented Latin
    (re.compile("[\u0370-\u052f]"), 0.45),  # Greek, Cyrillic
    (re.compile("[\u0530-\u08ff]"), 0.7),  # Armenian, Hebrew, Arabic
    (re.compile("[\u0900-\u1fff]"), 0.85),  # the scripts of South and South-East Asia
    (re.compile("[\u2000-\u2bff]"), 1.0),  # typography, symbols
    (re.compile("[\u2c00-\uffff]"), 0.95),  # Chinese, Japanese, Korean
    (re.compile("[\U00010000-\U0010ffff]"), 2.0),  # emoji, rare scripts
)


# A long text is judged by slices of it, so that a megabyte does not hold a loop up.
_WHOLE_CHARACTERS: Final = 40_000
_SLICES: Final = 16
_SLICE_CHARACTERS: Final = 2_000


def text_tokens(text: str) -> float:
    """The estimate for one text, before the factor of a model's family."""
    if not text:
        return 0.0
    if len(text) > _WHOLE_CHARACTERS:
        step = (len(text) - _SLICE_CHARACTERS) / (_SLICES - 1)
        starts = [round(index * step) for index in range(_SLICES)]
        seen = sum(_tokens(text[start : start + _SLICE_CHARACTERS]) for start in starts)
        return seen * len(text) / (_SLICES * _SLICE_CHARACTERS)
    return _tokens(text)


def _tokens(text: str) -> float:
    data = text.encode("utf-8", "surrogatepass")
    found = 0.0
    if len(data) >= 28:
        unbroken = _UNBROKEN.findall(data)
        if unbroken:
            found = _UNBROKEN_BYTE * sum(map(len, unbroken))
            data = _UNBROKEN.sub(b" ", data)
    return (
        found
        + _WORD * len(data.translate(_WORDS_ALONE).split())
        + _LETTER * len(data.translate(None, _OTHERS))
        + _DIGIT * len(data.translate(None, _NO_DIGITS))
        + _SIGN * len(data.translate(None, _NO_PUNCTUATION))
        + _LINE * data.count(b"\n")
        + (0.0 if text.isascii() else _beyond(text))
    )


def _beyond(text: str) -> float:
    return sum(each * len(pattern.findall(text)) for pattern, each in _SCRIPTS)
