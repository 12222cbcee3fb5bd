"""Face: what a caller holds: `ChatModel` and what makes one, streams, and people's shapes of messages and tools."""
