"""The functions of this dialect, gathered."""

from __future__ import annotations

from dragoman.dialects.contract import Dialect
from dragoman.dialects.openai_responses.counting import (
    decode_count_request,
    decode_count_response,
    encode_count_request,
    encode_count_response,
)
from dragoman.dialects.openai_responses.errors import decode_error, encode_error
from dragoman.dialects.openai_responses.metering import meter_response
from dragoman.dialects.openai_responses.request import decode_request, encode_request
from dragoman.dialects.openai_responses.response import decode_response, encode_response
from dragoman.dialects.openai_responses.stream import ResponsesStreamDecoder
from dragoman.dialects.openai_responses.stream_encoder import ResponsesStreamEncoder
from dragoman.dialects.openai_responses.wire import NAME

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    meter_response=meter_response,
    stream_decoder=ResponsesStreamDecoder,
    stream_encoder=ResponsesStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_count_request=encode_count_request,
    decode_count_request=decode_count_request,
    encode_count_response=encode_count_response,
    decode_count_response=decode_count_response,
)
