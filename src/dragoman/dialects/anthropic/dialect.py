"""The dialect `anthropic`, gathered."""

from __future__ import annotations

from dragoman.dialects.anthropic.counting import (
    decode_count_request,
    decode_count_response,
    encode_count_request,
    encode_count_response,
)
from dragoman.dialects.anthropic.errors import decode_error, encode_error
from dragoman.dialects.anthropic.forms import NAME
from dragoman.dialects.anthropic.metering import meter_response
from dragoman.dialects.anthropic.request import decode_request, encode_request
from dragoman.dialects.anthropic.response import decode_response, encode_response
from dragoman.dialects.anthropic.stream import AnthropicStream
from dragoman.dialects.anthropic.stream_encoder import AnthropicStreamEncoder
from dragoman.dialects.contract import Dialect

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    meter_response=meter_response,
    stream_decoder=AnthropicStream,
    stream_encoder=AnthropicStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_count_request=encode_count_request,
    decode_count_request=decode_count_request,
    encode_count_response=encode_count_response,
    decode_count_response=decode_count_response,
)
