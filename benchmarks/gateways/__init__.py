"""The gateway beside nginx and beside other gateways: each on one core, load and upstream on the other.

`machine` knows cores and processes, `wrk` makes load, `nginx` is the upstream and the floor, `ours` and `peers` are the
gateways, `streams` and `bodies` what wrk cannot do. `python -m benchmarks.gateways` runs all of it.
"""
