"""The `openai-responses` dialect: `POST /responses`, of OpenAI, Azure, OpenRouter, DeepSeek, Bedrock and llama.cpp.

Where the nouns of the wire go:

| wire | values |
| --- | --- |
| item `message` of the user, system, developer | a `Message` of that role; `instructions` a system message, noted so |
| item `message` of the assistant | its content parts: `Text`, `Refusal`; `phase` commentary is `Text.channel` |
| item `reasoning` | a `Reasoning` for each summary and each stretch of thoughts, or one empty "redacted" one |
| its `encrypted_content`, or else its id | a `Replay` ("encrypted", "item") on its last part |
| items `function_call`, `custom_tool_call` | `ToolCall` ("text" input for the latter); `call_id` is `ToolCall.id` |
| their `_output` items | a `ToolResult` in a TOOL message; in an answer one of runner "provider" at its place |
| calls of tools that the provider runs (searches, code interpreter, MCP) | `ToolCall` of runner "provider" |
| calls of built-in tools that the caller runs (computer, shells, patch) | `ToolCall`, with output items of their own |
| item `image_generation_call` | `Media` once its result is there |
| every other item (compaction, MCP approvals, programs, references …) | `Opaque` at its place |
| an item's `id` | `Part.item_id`, shared by the parts of the item; sent only to who issued it |
| `annotations` | `Text.citations` |
| `prompt_cache_breakpoint` | `Part.cache` |
| `input` text, `text.format`, `reasoning`, `tool_choice`, `include` log probabilities | fields of `Request` |
| `conversation`, `background`, `truncation`, `prompt`, … | `Request.extras` under their own names |
| `status`, `incomplete_details` | `Finish` (table in `finish`); a failed answer is a `ProviderError` |
| members of a response that repeat the request | a note of form |

All assistant items in a row are one `Message`; the last part of an item bears its note (`item_reading` says why).
`wire` lists the notes; `items` tells how nothing is lost; `stream` and `stream_encoder` have the rules of streams.
"""

from __future__ import annotations
