"""`/admin/…`: what the operator looks at and does, with the master key and with no other.

Whichever process is asked, `health` tells of all of them, and `health/reset` and `reload` reach all of them. `explain`
tells what the process that is asked would do, by what it has seen itself.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from dragoman.accounts import presented_in
from dragoman.errors import DragomanError
from dragoman.gateway.server.app import Route
from dragoman.gateway.server.refusals import JSON_TYPE, RequestRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from dragoman.accounts import Principal
    from dragoman.gateway.generation import Generation, Generations
    from dragoman.gateway.holdings import Holdings
    from dragoman.gateway.replay_memory import ReplayMemory
    from dragoman.gateway.server.app import App
    from dragoman.gateway.server.call import Call
    from dragoman.gateway.server.operations import Health
    from dragoman.gateway.workers.service import Fleet
    from dragoman.routing import Candidate

__all__ = ["Administration"]

BODY_BYTES = 64 * 1024
_NOT_CACHED = (b"cache-control", b"no-store")

HEALTH = "health"
RESET = "reset"


class _ResetBody(msgspec.Struct, forbid_unknown_fields=True):
    deployment: str | None = None


_reset_body = msgspec.json.Decoder(_ResetBody)


class Administration:
    """The operator's side of one process. `fleet` gives all processes together, once there is one."""

    def __init__(
        self,
        generations: Generations,
        health: Health,
        fleet: Callable[[], Fleet],
        memory: ReplayMemory,
        holdings: Holdings,
        *,
        worker: int = 0,
    ) -> None:
        self._generations = generations
        self._memory = memory
        self._holdings = holdings
        self._health = health
        self._fleet = fleet
        self._worker = worker

    def add(self, app: App) -> None:
        """Adds the paths."""
        app.add("GET", "/admin/health", Route(self._get_health, check=self.check))
        app.add("GET", "/admin/generation", Route(self._get_generation, check=self.check))
        for path, handler in (("health/reset", self._post_reset), ("reload", self._post_reload)):
            app.add("POST", f"/admin/{path}", Route(handler, check=self.check, body_bytes=BODY_BYTES, json=False))
        app.add("POST", "/admin/explain", Route(self._post_explain, check=self.check, json=False))

    def check(self, call: Call) -> None:
        """Raises `RequestRefused` for everybody but the holder of the master key."""
        self._principal(call)

    def _principal(self, call: Call) -> Principal:
        generation = self._generations.current()
        shown = presented_in(call.fields)
        principal = generation.keys.find(None if shown is None else shown.secret)
        if principal is not None and principal.master:
            return principal
        if generation.config.server.master_key is None:
            raise RequestRefused(
                403, "no_master_key", "nobody may administer this gateway: it has no server.master_key"
            )
        if principal is None:
            raise RequestRefused(401, "invalid_api_key", "send the master key as `Authorization: Bearer …`")
        raise RequestRefused(403, "master_key_needed", "this is for the master key alone")

    # -- what all processes are asked for ----------------------------------------------------------------------------

    async def obey(self, name: str, argument: str) -> Any:
        """This process's part. Raises `DragomanError` for what it does not know."""
        match name:
            case "health":
                return self._told_health()
            case "reset":
                return {"worker": self._worker, "reset": self._generations.state.health.reset(argument or None)}
            case _:
                raise DragomanError(f"{name!r} is nothing that a process could do")

    def _told_health(self) -> dict[str, Any]:
        generation = self._generations.current()
        now = asyncio.get_running_loop().time()
        return {
            "worker": self._worker,
            "status": self._health.standing,
            "generation": generation.number,
            "digest": generation.digest,
            "requests": generation.in_flight,
            "deployments": msgspec.to_builtins(self._generations.state.health.view(now)),
        }

    # -- the paths -----------------------------------------------------------------------------------------------------

    async def _get_health(self, call: Call) -> None:
        await _respond(call, {"workers": await self._order(HEALTH)})

    async def _post_reset(self, call: Call) -> None:
        body = await call.body()
        try:
            wanted = _reset_body.decode(body) if body else _ResetBody()
        except msgspec.MsgspecError as error:
            raise RequestRefused(400, "invalid_body", f'{{}} or {{"deployment": "name"}} is wanted: {error}') from None
        await _respond(call, {"workers": await self._order(RESET, wanted.deployment or "")})

    async def _get_generation(self, call: Call) -> None:
        await _respond(call, told_generation(self._generations.current()))

    async def _post_reload(self, call: Call) -> None:
        try:
            digest = await self._fleet().reload()
        except DragomanError as error:
            raise RequestRefused(409, "refused", f"the old configuration serves on: {error}") from None
        await _respond(call, {"digest": digest})

    async def _post_explain(self, call: Call) -> None:
        from dragoman.gateway.explaining import explain_question, read_question

        try:
            question = read_question(await call.body())
            told = await explain_question(question, self._generations.current(), self._memory, self._holdings)
        except RequestRefused:
            raise
        except DragomanError as error:
            raise RequestRefused(400, "not_answered", error.message) from None
        await _respond(call, {"worker": self._worker, **told})

    async def _order(self, name: str, argument: str = "") -> list[Any]:
        try:
            return sorted(await self._fleet().order(name, argument), key=lambda told: told["worker"])
        except DragomanError as error:
            raise RequestRefused(503, "no_answer", f"the other processes do not answer: {error}") from None


async def _respond(call: Call, told: Any) -> None:
    await call.respond(200, [JSON_TYPE, _NOT_CACHED], msgspec.json.encode(told))


def told_generation(generation: Generation) -> dict[str, Any]:
    """What a configuration comes to: its routes and their deployments. No secret, and no address beyond the host."""
    config = generation.config
    routes: list[dict[str, Any]] = []
    for name, model in config.models.items():
        told: dict[str, Any] = {"name": name, "fallbacks": list(model.block.fallbacks)}
        if "*" in name:
            told["deployments"] = [{"name": each.name, "model": each.model} for each in model.deployments]
        else:
            told["deployments"] = [_deployment(each) for each in generation.routes.find(name).route.candidates]
        routes.append(told)
    return {
        "number": generation.number,
        "digest": generation.digest,
        "file": config.file,
        "direct_models": config.direct,
        "routes": routes,
        "keys": [{"name": key.name, "team": key.team, "models": list(key.models)} for key in config.keys],
    }


def _deployment(candidate: Candidate) -> dict[str, Any]:
    deployment = candidate.deployment
    access = deployment.access
    return {
        "name": deployment.label or deployment.name,
        "provider": access.provider,
        "model": access.model,
        "dialects": list(access.row.dialects),
        "host": urlsplit(access.base_url).hostname,
    }
