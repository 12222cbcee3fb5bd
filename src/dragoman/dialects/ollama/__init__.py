"""Ollama's own API: `POST /api/chat` and `/api/embed`, streamed as newline-delimited JSON, in both directions.

The nouns of this wire, and where each goes:

| noun | value |
| --- | --- |
| message: content, thinking, images, tool_calls | Text, Reasoning (with a Replay "thinking"), Media, ToolCall |
| message of role tool: tool_name, tool_call_id | ToolResult in a TOOL message |
| a call without an id | ToolCall with a minted id (note `:id`), which is never sent |
| tools[].function | ToolDefinition; a tool of another type is Opaque |
| options: num_predict, temperature, top_p, top_k, seed, stop, penalties | the request's fields; others in extras |
| format: "json", a schema | OutputFormat |
| think: true, false, a level | ReasoningOptions: budget -1, budget 0, effort |
| keep_alive, truncate, shift … | extras of the request |
| stream, which is on unless it is switched off | Request.stream |
| done, done_reason | Finish |
| created_at | created, with the wire's own text as the note `:created_at` |
| prompt_eval_count, eval_count | Usage; a count that is missing stays unknown |
| total_duration and the other durations | extras of the answer |
| logprobs | extras of the choice |

Read `messages` for the conversation, `options` for settings, `stream` for the laws of the stream, `keeping` (beside the
dialects) for the notes that keep the wire's form. Sources: the vendor's API reference and its OpenAPI description.
"""
