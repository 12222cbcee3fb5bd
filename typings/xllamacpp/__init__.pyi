"""The part of xllamacpp that this project uses; the package brings no types."""

class CommonParamsModel:
    path: str

class CpuParams:
    n_threads: int

class CommonParamsSampling:
    ignore_eos: bool

class CommonParams:
    model: CommonParamsModel
    model_alias: set[str]
    cpuparams: CpuParams
    n_ctx: int
    n_parallel: int
    hostnames: list[str]
    port: int
    warmup: bool
    ui: bool
    verbosity: int
    sampling: CommonParamsSampling
    def __init__(self) -> None: ...

class Server:
    def __init__(self, params: CommonParams) -> None: ...
    @property
    def listening_address(self) -> str: ...
