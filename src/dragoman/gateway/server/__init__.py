"""HTTP in front of the gateway: a guarded protocol, direct dispatch, bounds on everything.

`serving.GatewayServer` listens and drains; `accepting` takes connections; `protocol.GuardedProtocol` is one of them,
`pace` how fast it goes; `app.App` finds the `Route` of a request and counts what is in flight; `call.Call` is one
request and its answer. `head` and `loopback` hold what a request must be, `known_heads` the heads that came before,
`refusals` what is said to the others, `limits` every bound, `memory` what the C library is told of large bodies.
`operations` are the paths that operators ask for; `asgi` lets an ASGI application answer below a prefix.
"""
