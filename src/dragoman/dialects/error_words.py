"""Words of errors, alike in every dialect: what a host said, made short, and what of it a client of ours may read."""

from __future__ import annotations

from typing import Final

from dragoman.errors import (
    AllAttemptsFailed,
    AuthenticationFailed,
    ConfigError,
    DragomanError,
    MissingModel,
    PermissionDenied,
    ProviderError,
    QuotaExhausted,
    UnknownName,
    UnknownProvider,
)

__all__ = ["LONGEST_WORDS", "client_message", "plain_words", "subject_of", "withheld"]

_ACCOUNT_ERRORS: Final = (AuthenticationFailed, PermissionDenied, QuotaExhausted)
"""Errors about the credential and the account that were used: the provider's words about those do not pass."""

LONGEST_WORDS: Final = 1200


def subject_of(error: DragomanError) -> DragomanError:
    """The error to speak of: of several attempts, the last one's."""
    while isinstance(error, AllAttemptsFailed) and error.errors:
        error = error.errors[-1]
    return error


def withheld(error: ProviderError) -> bool:
    """Whether an error is about the credential or account that a provider was called with."""
    return isinstance(error, _ACCOUNT_ERRORS) and bool(error.provider)


def client_message(error: DragomanError) -> str:
    """What a client may read of it: nothing of what concerns our own credentials and configuration."""
    subject = subject_of(error)
    if isinstance(subject, ProviderError) and withheld(subject):
        return f"{subject.provider} did not accept the credential or account that it was called with"
    if isinstance(subject, ProviderError):
        return subject.provider_message or subject.message
    if isinstance(subject, ConfigError) and not isinstance(subject, (UnknownName, UnknownProvider, MissingModel)):
        return "The gateway's configuration does not allow this request to be answered."
    return subject.message


def plain_words(words: str) -> str:
    """The title of an HTML page, or the words themselves, bounded."""
    lowered = words[:4096].lower()
    start, end = lowered.find("<title>"), lowered.find("</title>")
    if 0 <= start < end:
        return f"a web page instead of an answer: {' '.join(words[start + 7 : end].split())}"[:LONGEST_WORDS]
    return words[:LONGEST_WORDS]
