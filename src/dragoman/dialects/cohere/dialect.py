"""The dialect `cohere`, gathered."""

from __future__ import annotations

from dragoman.dialects.cohere.embeddings import (
    decode_embedding_request,
    decode_embedding_response,
    encode_embedding_request,
    encode_embedding_response,
)
from dragoman.dialects.cohere.errors import decode_error, encode_error
from dragoman.dialects.cohere.names import NAME
from dragoman.dialects.cohere.request import decode_request, encode_request
from dragoman.dialects.cohere.response import decode_response, encode_response
from dragoman.dialects.cohere.stream import CohereStream
from dragoman.dialects.cohere.stream_encoder import CohereStreamEncoder
from dragoman.dialects.contract import Dialect

__all__ = ["DIALECT"]

DIALECT = Dialect(
    name=NAME,
    encode_request=encode_request,
    decode_request=decode_request,
    encode_response=encode_response,
    decode_response=decode_response,
    stream_decoder=CohereStream,
    stream_encoder=CohereStreamEncoder,
    decode_error=decode_error,
    encode_error=encode_error,
    encode_embedding_request=encode_embedding_request,
    decode_embedding_request=decode_embedding_request,
    encode_embedding_response=encode_embedding_response,
    decode_embedding_response=decode_embedding_response,
)
