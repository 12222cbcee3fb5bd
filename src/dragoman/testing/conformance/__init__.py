"""The conformance pack: named checks that find out what a provider can and cannot do, ours or anyone's.

    from dragoman.testing.conformance import run_conformance

    def make(**changes):
        return dragoman.ProviderRegistry.get_provider("groq", **{"model": "llama-3.1-8b-instant", **changes})

    print(run_conformance(make))

It asks the provider some forty times. Each check ends as "works", "refused" (the provider, or the dialect it is spoken
to in, says that it cannot), "wrong" (something else came) or "not asked". Checks are about the wire: a model that is
too small to follow may be found wrong where its server is not.
"""

from __future__ import annotations

# Loaded for what they add to CHECKS, in this order.
from dragoman.testing.conformance import checks_text, checks_tools, checks_forms  # isort: skip
from dragoman.testing.conformance.findings import Finding, Report, Verdict
from dragoman.testing.conformance.running import run_check, run_conformance
from dragoman.testing.conformance.subject import CHECKS, Check, ModelFactory, Subject

__all__ = [
    "CHECKS",
    "Check",
    "Finding",
    "ModelFactory",
    "Report",
    "Subject",
    "Verdict",
    "checks_forms",
    "checks_text",
    "checks_tools",
    "run_check",
    "run_conformance",
]
