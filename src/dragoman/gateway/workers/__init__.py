"""Processes: one that serves by itself, or a supervisor and its workers.

`service` is what a process serves, made by a factory from `ServeOptions`. `worker.Worker` runs it: serves, reloads,
drains. `supervisor.Supervisor` starts workers, restarts those that die (`restarts`), reloads on all or on none, and
adds up their metrics (`sums`). `ledger_writer` is the process beside them that carries the ledger over. They talk over
`channel.Channel`, in `messages`. `listening` opens the sockets.

Workers are fresh interpreters, not forks: the supervisor runs a loop and threads when it restarts one, and what a fork
inherits of those (locks held, sockets registered) is a matter of luck. It costs some tenths of a second at a restart,
during which the dead worker's socket keeps the connections that came.
"""
