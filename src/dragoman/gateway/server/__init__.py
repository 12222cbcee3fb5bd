"""HTTP in front of the gateway: a guarded protocol, direct dispatch, bounds on everything.

`serving.GatewayServer` listens and drains; `protocol.GuardedProtocol` is one connection; `app.App` finds the `Route` of
a request and counts what is in flight; `call.Call` is one request and its answer. `head` and `loopback` hold what a
request must be, `refusals` what is said when it is not, `limits` every bound. `operations` are the paths that operators
ask for; `asgi` lets an ASGI application answer below a prefix.
"""
