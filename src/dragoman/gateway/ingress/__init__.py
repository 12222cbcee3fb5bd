"""Ingress: what a client asked, peeked at in its own dialect.

One file per public dialect; `asked` is what they give.
"""
