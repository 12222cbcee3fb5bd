"""The gateway: public dialects in, any provider out.

`server/` reads HTTP and bounds it, `workers/` runs processes and reloads them, `config/` is the file people write.
Nothing here is loaded by `import dragoman`; the packages it needs are the extra `gateway`.
"""
