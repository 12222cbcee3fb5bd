"""The dialect, gathered."""

from __future__ import annotations

from dragoman.dialects.contract import Dialect
from dragoman.dialects.openai_chat.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.dialects.openai_chat.error_envelope import encode_error
from dragoman.dialects.openai_chat.errors import decode_error
from dragoman.dialects.openai_chat.metering import meter_response
from dragoman.dialects.openai_chat.notes import NAME
from dragoman.dialects.openai_chat.request import decode_request, encode_request
from dragoman.dialects.openai_chat.response import decode_response, encode_response
from dragoman.dialects.openai_chat.stream import ChatStream
from dragoman.dialects.openai_chat.stream_encoder import ChatStreamEncoder

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    meter_response=meter_response,
    stream_decoder=ChatStream,
    stream_encoder=ChatStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_embedding_request=encode_embedding_request,
    decode_embedding_request=decode_embedding_request,
    encode_embedding_response=encode_embedding_response,
    decode_embedding_response=decode_embedding_response,
)
