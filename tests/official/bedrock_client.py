"""Amazon's own client, botocore: its request to Converse goes to the address given, its answers become facts."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from tests.official.facts import Facts, Said, called

__all__ = ["BedrockClient", "BedrockClients"]

_NOWHERE = "http://127.0.0.1:9"
_ASKED: Any = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "Hi"}]}]}


class BedrockClients:
    """One client, since making one reads a large description; each call says where it goes."""

    def __init__(self) -> None:
        session: Any = import_module("botocore.session").Session()
        session.set_credentials("none", "none")
        self.client: Any = session.create_client(
            "bedrock-runtime",
            region_name="us-east-1",
            endpoint_url=_NOWHERE,
            config=import_module("botocore.config").Config(retries={"total_max_attempts": 1}, proxies={}),
        )
        self.address = _NOWHERE
        self.client.meta.events.register("request-created.bedrock-runtime", self._send_to_address)

    def _send_to_address(self, request: Any, **_: Any) -> None:
        request.url = request.url.replace(_NOWHERE, self.address)

    def close(self) -> None:
        self.client.close()


class BedrockClient:
    def __init__(self, clients: BedrockClients, address: str) -> None:
        self._clients = clients
        self._address = address

    def whole(self) -> Facts:
        self._clients.address = self._address
        answer = self._clients.client.converse(**_ASKED)
        heard = _Heard()
        for index, block in enumerate(answer["output"]["message"]["content"]):
            heard.take_block(index, block)
        return heard.facts(answer["stopReason"], answer["usage"])

    def streamed(self, *, strict: bool = False) -> Facts:
        self._clients.address = self._address
        heard = _Heard()
        reason, usage = None, {}
        stream = self._clients.client.converse_stream(**_ASKED)["stream"]
        try:
            for event in stream:
                ((name, inner),) = event.items()
                if name == "contentBlockStart":
                    heard.start(inner["contentBlockIndex"], inner["start"])
                elif name == "contentBlockDelta":
                    heard.take_delta(inner["contentBlockIndex"], inner["delta"])
                elif name == "messageStop":
                    reason = inner["stopReason"]
                elif name == "metadata":
                    usage = inner["usage"]
        finally:
            stream.close()
        return heard.facts(reason, usage)


class _Heard:
    def __init__(self) -> None:
        self.text = ""
        self.calls: dict[int, list[Any]] = {}

    def start(self, index: int, start: Any) -> None:
        call = start.get("toolUse")
        if call is not None and call.get("type") != "server_tool_use":
            self.calls[index] = [call["toolUseId"], call["name"], ""]

    def take_delta(self, index: int, delta: Any) -> None:
        self.text += delta.get("text", "")
        if "toolUse" in delta and index in self.calls:
            self.calls[index][2] += delta["toolUse"]["input"]

    def take_block(self, index: int, block: Any) -> None:
        self.text += block.get("text", "")
        self.text += "".join(piece["text"] for piece in block.get("citationsContent", {}).get("content", ()))
        call = block.get("toolUse")
        if call is not None and call.get("type") != "server_tool_use":
            self.calls[index] = [call["toolUseId"], call["name"], call["input"]]

    def facts(self, reason: str | None, usage: Any) -> Facts:
        counts = [usage.get(name) for name in ("inputTokens", "cacheReadInputTokens", "cacheWriteInputTokens")]
        calls = tuple(called(*self.calls[index]) for index in sorted(self.calls))
        return Facts(
            said=(Said(self.text, "", calls, reason),),
            input_tokens=sum(count or 0 for count in counts),
            output_tokens=usage.get("outputTokens"),
            id=None,
            model=None,
        )
