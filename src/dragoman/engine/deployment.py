"""Deployment: one thing that can be tried: a provider with a credential, an upstream model, and how to reach it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from dragoman.dialects import load
from dragoman.transport.seam import Timeout

if TYPE_CHECKING:
    from dragoman.catalogue import Access
    from dragoman.dialects import Dialect
    from dragoman.facts.price_lists import PriceList
    from dragoman.transport import Transport
    from dragoman.values import Target
    from dragoman.values.profile import Profile

__all__ = ["Deployment"]


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """`access` says where and as whom, `timeout` how long; `transport` None means the shared one of the process.

    `facts` False: nothing that is known about a model of this name is applied, as where another one answers to it.
    `prices` are this deployment's own (a contract's, a server's of one's own) and stand before all others, and so does
    `profile`. `label` is what a configuration calls it.
    """

    access: Access
    timeout: Timeout = msgspec.field(default_factory=Timeout)
    transport: Transport | None = None
    facts: bool = True
    prices: PriceList | None = None
    profile: Profile | None = None
    label: str = ""

    @property
    def target(self) -> Target:
        return self.access.target

    @property
    def name(self) -> str:
        """`provider/model`, as in attempts and messages."""
        return f"{self.access.target.provider}/{self.access.target.model}"

    @property
    def facts_provider(self) -> str:
        """The provider under whose name facts about the model are looked up."""
        return self.access.row.facts or self.access.target.provider

    @property
    def dialect(self) -> Dialect:
        return load(self.access.dialect)

    def for_embeddings(self) -> Deployment:
        """This deployment in the first of its provider's dialects that has embeddings; itself when none has."""
        for name in (self.access.dialect, *self.access.row.dialects):
            if load(name).encode_embedding_request is not None:
                return replace(self, access=self.access.speaking(name))
        return self

    async def aclose(self) -> None:
        """Close what the transport keeps open for the running loop; of the shared one, what nobody is using."""
        if self.transport is not None:
            await self.transport.aclose()
        else:
            from dragoman.engine.shared import shared_transport

            shared_transport().close_idle()

    def open_transport(self) -> Transport:
        """The transport to use; made at the first call, so that building a model opens and imports nothing."""
        if self.transport is not None:
            return self.transport
        from dragoman.engine.shared import shared_transport

        return shared_transport()
