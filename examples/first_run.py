"""What `make run` runs: the real llama.cpp server with a model of random weights, on this machine alone."""

from __future__ import annotations

import json
import urllib.request

from examples.llama_server import running_llama_server


def main() -> None:
    with running_llama_server() as address:
        with urllib.request.urlopen(f"{address}/v1/models") as answer:
            models = [model["id"] for model in json.load(answer)["data"]]
        print(f"llama.cpp listens at {address} and serves {', '.join(models)}")


if __name__ == "__main__":
    main()
