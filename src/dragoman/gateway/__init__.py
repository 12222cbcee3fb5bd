"""The gateway: public dialects in, any provider out. `dragoman serve` runs it; docs/gateway.md tells what it answers.

`server/` reads HTTP and bounds it, `workers/` runs processes and reloads them, `config/` is the file people write,
`ingress/` peeks at what clients ask. `hosting` leads from a configuration to processes, `assembly` puts one process
together, `generation` is one configuration in use. `public` lists the paths; `visits` is what all of them share,
`exchange` a call for an answer, with its attempts in `attempts` and its stream's head in `held_streams`; `answers`
writes headers and errors. `pass_through` reaches providers' own paths, `holdings` and `pinning` know whose their
objects are.

Its public face is the command, the paths and the configuration; modules here may change between versions. Nothing is
loaded by `import dragoman`; the packages it needs are the extra `gateway`.
"""
