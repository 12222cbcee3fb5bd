"""Accounts: who may call, what, and how often.

`keys.py` finds the principal of a secret among digests, `presented.py` finds the secret in a request; `principals.py`
says what a principal may do (`patterns.py`: names of models, paths of providers) and `limits.py` counts its requests.
All state is this process's own and bounded; nothing here waits, and time is passed in.
"""

from __future__ import annotations

from dragoman.accounts.keys import KeyRing, digest_of
from dragoman.accounts.limits import Gauge, Gauges, Lease, LimitReached, Limits
from dragoman.accounts.owned import OwnedState
from dragoman.accounts.patterns import NamePatterns, PathPattern
from dragoman.accounts.presented import Presented, presented_in, secret_in
from dragoman.accounts.principals import Grant, Principal

__all__ = [
    "Gauge",
    "Gauges",
    "Grant",
    "KeyRing",
    "Lease",
    "LimitReached",
    "Limits",
    "NamePatterns",
    "OwnedState",
    "PathPattern",
    "Presented",
    "Principal",
    "digest_of",
    "presented_in",
    "secret_in",
]
