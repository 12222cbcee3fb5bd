"""The gateway's configuration: a YAML file read strictly, with every problem named at once by its line.

`nodes.py` reads YAML into nodes with lines, `interpolation.py` fills `${…}`, `structs.py` is the form of the file, by
which `reading.py` reads it and `schema.py` publishes it; `checks.py` holds what no form can say, with `providers.py`,
`server_tls.py` and `names.py`. `loading.py` puts it together into a `Config`. `ambient.py` makes one from the
environment alone, and `discovery.py` finds servers on this machine.
"""

from __future__ import annotations

from dragoman.gateway.config.ambient import ambient_config
from dragoman.gateway.config.discovery import Discovered, discover
from dragoman.gateway.config.loading import Config, load, read
from dragoman.gateway.config.problems import InvalidConfig, Problem
from dragoman.gateway.config.providers import Provider

__all__ = ["Config", "Discovered", "InvalidConfig", "Problem", "Provider", "ambient_config", "discover", "load", "read"]
