"""The four verbs behind one signature, so that one test holds for all of them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman import CallOptions, ChatModel, Response

    Verb = Callable[..., Response]


def chat(model: ChatModel, messages: Any, **options: Unpack[CallOptions]) -> Response:
    return model.chat(messages, **options)


def stream(model: ChatModel, messages: Any, **options: Unpack[CallOptions]) -> Response:
    with model.stream(messages, **options) as stream:
        for _ in stream:
            pass
    return stream.response


def achat(model: ChatModel, messages: Any, **options: Unpack[CallOptions]) -> Response:
    async def there() -> Response:
        return await model.achat(messages, **options)

    return asyncio.run(there())


def astream(model: ChatModel, messages: Any, **options: Unpack[CallOptions]) -> Response:
    async def there() -> Response:
        async with model.astream(messages, **options) as stream:
            async for _ in stream:
                pass
        return stream.response

    return asyncio.run(there())


def leave(model: ChatModel, messages: Any) -> None:
    """Begin a stream and go at its first words; asynchronous, for a synchronous one is read ahead of its reader."""

    async def there() -> None:
        async with model.astream(messages) as stream:
            async for chunk in stream:
                if chunk.delta:
                    break

    asyncio.run(there())


VERBS = (chat, stream, achat, astream)
