"""The figures of this library beside those of others, measured in one run on one machine.

`python -m benchmarks` (or `make bench`) runs every benchmark and writes `RESULTS.md`; each can be run alone, too
(`python -m benchmarks.calls`). They compare CPU time and ratios, and none of them is a test: a busy machine changes
every figure, but hardly the relation of two that were measured together.
"""
