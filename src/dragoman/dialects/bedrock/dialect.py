"""The dialect `bedrock`, gathered."""

from __future__ import annotations

from dragoman.dialects.bedrock.counting import (
    decode_count_request,
    decode_count_response,
    encode_count_request,
    encode_count_response,
)
from dragoman.dialects.bedrock.errors import decode_error, encode_error
from dragoman.dialects.bedrock.forms import NAME
from dragoman.dialects.bedrock.request import decode_request, encode_request
from dragoman.dialects.bedrock.response import decode_response, encode_response
from dragoman.dialects.bedrock.stream import BedrockStream
from dragoman.dialects.bedrock.stream_encoder import BedrockStreamEncoder
from dragoman.dialects.contract import Dialect

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    stream_decoder=BedrockStream,
    stream_encoder=BedrockStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_count_request=encode_count_request,
    decode_count_request=decode_count_request,
    encode_count_response=encode_count_response,
    decode_count_response=decode_count_response,
    framing="eventstream",
)
