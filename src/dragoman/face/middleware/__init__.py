"""Middleware in the box: logging, hooks, a cache of identical calls, and collecting usage.

Each is given to `dragoman.wrap`; one path serves all verbs, so that each does the same for streamed and unstreamed,
synchronous and asynchronous calls.
"""
