"""The dialect `ollama`, gathered."""

from __future__ import annotations

from dragoman.dialects.contract import Dialect
from dragoman.dialects.ollama.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.dialects.ollama.errors import decode_error, encode_error
from dragoman.dialects.ollama.names import NAME
from dragoman.dialects.ollama.request import decode_request, encode_request
from dragoman.dialects.ollama.response import decode_response, encode_response
from dragoman.dialects.ollama.stream import OllamaStream
from dragoman.dialects.ollama.stream_encoder import OllamaStreamEncoder

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    stream_decoder=OllamaStream,
    stream_encoder=OllamaStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_embedding_request=encode_embedding_request,
    decode_embedding_request=decode_embedding_request,
    encode_embedding_response=encode_embedding_response,
    decode_embedding_response=decode_embedding_response,
    framing="ndjson",
)
