"""The Messages API: `POST /v1/messages`, streamed and not, in both directions.

The nouns of this wire, and where each goes:

| noun | value |
| --- | --- |
| system (top level) | a system message at the head; a turn of role system stays at its place |
| turn, content block | message, part |
| text, citations | Text, Citation (the wire's object in its extras) |
| thinking, redacted_thinking | Reasoning with a Replay "signature" or "redacted"; omitted thinking has no text |
| tool_use, tool_result | ToolCall, ToolResult among a user's parts |
| server_tool_use, mcp_tool_use and their *_tool_result | ToolCall, ToolResult of runner "provider", results opaque |
| image, document | Media (a document made of blocks is Opaque) |
| search_result, tool_reference, container_upload, compaction, fallback, unknown blocks | Opaque, at its place |
| cache_control | CacheHint on a part or tool; at top level an extra |
| thinking, output_config.effort | ReasoningOptions |
| output_config.format, output_format | OutputFormat |
| container, context_management, mcp_servers, speed, inference_geo … | extras of the request or the answer |
| stop_reason, stop_sequence, stop_details | Finish: reason, raw, stop_sequence, detail |
| usage | Usage, totals made inclusive of the cache; iterations stay in its raw |

Read `forms` for the notes that keep the wire's form, `blocks` and `parts` for content, `rules` for what the API refuses
in combination, `stream` for the laws of its stream. Sources: the vendor's API reference and its OpenAPI description.
"""
