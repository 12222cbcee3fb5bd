"""The dialect, gathered."""

from __future__ import annotations

from dragoman.dialects.contract import Dialect
from dragoman.dialects.gemini.counting import (
    decode_count_request,
    decode_count_response,
    encode_count_request,
    encode_count_response,
)
from dragoman.dialects.gemini.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.dialects.gemini.error_envelope import encode_error
from dragoman.dialects.gemini.errors import decode_error
from dragoman.dialects.gemini.members import NAME
from dragoman.dialects.gemini.metering import meter_response
from dragoman.dialects.gemini.request import decode_request, encode_request
from dragoman.dialects.gemini.response import decode_response, encode_response
from dragoman.dialects.gemini.stream import GeminiStream
from dragoman.dialects.gemini.stream_encoder import GeminiStreamEncoder

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    meter_response=meter_response,
    stream_decoder=GeminiStream,
    stream_encoder=GeminiStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_embedding_request=encode_embedding_request,
    decode_embedding_request=decode_embedding_request,
    encode_embedding_response=encode_embedding_response,
    decode_embedding_response=decode_embedding_response,
    encode_count_request=encode_count_request,
    decode_count_request=decode_count_request,
    encode_count_response=encode_count_response,
    decode_count_response=decode_count_response,
)
