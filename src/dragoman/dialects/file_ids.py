"""Uploaded files: the id that a provider gave for one means something to that provider alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dragoman.values import replace

if TYPE_CHECKING:
    from dragoman.values import AdaptationLog, Media, Target

__all__ = ["issued_to", "issuer_of"]


def issuer_of(file_id: str | None, issuer: str) -> str | None:
    """The `issuer` of media that were read: whose file id it is, if there is one and its issuer is known."""
    return (issuer or None) if file_id is not None else None


def issued_to(media: Media, target: Target, log: AdaptationLog, path: str) -> Media | None:
    """The media as this target may have them; None (recorded) where they are another party's file and nothing else.

    A foreign file id is left out; so is an address that serves its issuer alone.
    """
    if media.issuer is None or media.issuer == target.issuer:
        return media
    if media.file_id is not None:
        rest = replace(media, file_id=None, issuer=None)
        asked = media.file_id
    else:
        rest = replace(media, url=None, issuer=None)
        asked = media.url
    empty = rest.data is None and rest.url is None and rest.text is None and rest.transcript is None
    where = path if empty else f"{path}.{'file_id' if media.file_id is not None else 'url'}"
    if asked is not None:
        log.dropped(where, f"this file is with {media.issuer}, and means nothing to another party", asked)
    return None if empty else rest
