"""Clouds: hosts whose addresses depend on an account's settings, and whose calls may be signed."""

from __future__ import annotations

from msgspec.structs import replace

from dragoman.catalogue.auth import X_GOOG_API_KEY, AuthScheme
from dragoman.catalogue.row import Option, PathRule, ProviderRow, Shape, SigningScheme
from dragoman.values.quirks import BedrockQuirks, ChatQuirks, GeminiQuirks, Quirks, ResponsesQuirks

__all__ = ["ROWS"]

# -- Azure -------------------------------------------------------------------------------------------------------------

# Both forms are recorded. The older one names the deployment in the path and the version in the query; the newer one
# (learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle) is OpenAI's own, with the deployment as the model.
_AZURE_V1 = Shape(
    base_url="https://{resource}.openai.azure.com/openai/v1",
    origins=("https://{resource}.cognitiveservices.azure.com", "https://{resource}.services.ai.azure.com"),
    written=("/openai",),
    defaults={"deployment": "{model}"},
    paths=(PathRule(path="/", to="/", members={"model": "{deployment}"}),),
)
_AZURE_DATED = replace(
    _AZURE_V1,
    base_url="https://{resource}.openai.azure.com/openai",
    when={"api_version": ("20*",)},
    written=("/openai/deployments/{deployment}",),
    query="api-version={api_version}",
    defaults={"deployment": "{model}", "api_version": "2024-10-21"},  # the last dated version that is no preview
    paths=(
        # The Responses API knows no deployments in the path (same page).
        PathRule(path="/responses", to="/responses", members={"model": "{deployment}"}),
        PathRule(path="/models", to="/models"),  # of the resource, as the data plane's reference has it
        PathRule(path="/", to="/deployments/{deployment}/"),
    ),
)

AZURE = ProviderRow(
    name="azure",
    dialects=("openai-chat", "openai-responses"),
    key_variables=("AZURE_OPENAI_API_KEY",),
    base_url_variables=("AZURE_BASE_URL", "AZURE_OPENAI_ENDPOINT"),
    auth=AuthScheme("api-key"),
    signing=SigningScheme(kind="token"),
    options={
        "resource": Option(slot="resource", form=r"[A-Za-z0-9][A-Za-z0-9-]*", variable="AZURE_RESOURCE_NAME"),
        "deployment": Option(slot="deployment"),
        "api_version": Option(
            slot="api_version",
            form=r"20\d\d-\d\d-\d\d(?:-preview)?|preview|latest|v1",
            variable="AZURE_OPENAI_API_VERSION",
            variables=("OPENAI_API_VERSION",),  # the official client's
        ),
        "token": Option(credential=True, variable="AZURE_OPENAI_AD_TOKEN"),  # of Entra ID
    },
    shapes=(
        replace(_AZURE_V1, when={"api_version": ("preview", "latest", "v1")}, query="api-version={api_version}"),
        _AZURE_DATED,
        _AZURE_V1,
        replace(_AZURE_DATED, when={"deployment": ("*",)}),  # a base URL that names the deployment, but no version
    ),
    model_slot="deployment",
    quirks=Quirks(chat=ChatQuirks(caching="key"), responses=ResponsesQuirks(caching="key")),
    # Encrypted reasoning is read by the resource that wrote it alone (github.com/BerriAI/litellm, "encrypted content
    # affinity": others answer with invalid_encrypted_content).
    issuer_per_host=True,
    documentation="https://learn.microsoft.com/azure/ai-foundry/openai/reference",
    checked="2026-11-20",
)

# -- Vertex AI ---------------------------------------------------------------------------------------------------------

_PROJECT = "/{version}/projects/{project}/locations/{location}"
# Recorded for Gemini; for Claude docs.anthropic.com/en/api/claude-on-vertex-ai and the vendor's own client.
_CLAUDE = {"anthropic_version": "vertex-2023-10-16"}
_VERTEX = Shape(
    base_url="https://{location}-aiplatform.googleapis.com" + _PROJECT,
    written=(_PROJECT + "/publishers/google", "/{version}"),
    paths=(
        PathRule(path="/models/", to="/publishers/google/models/"),
        PathRule(
            path="/messages",
            to="/publishers/anthropic/models/{model}:streamRawPredict",
            stream=True,
            members=_CLAUDE,
            without=("model",),
        ),
        PathRule(
            path="/messages",
            to="/publishers/anthropic/models/{model}:rawPredict",
            members=_CLAUDE,
            without=("model",),
        ),
        PathRule(
            path="/messages/count_tokens",
            to="/publishers/anthropic/models/count-tokens:rawPredict",
            members=_CLAUDE,
        ),
        PathRule(path="/projects/", to="{origin}/{version}/projects/"),  # a model by its whole resource name
    ),
)

VERTEX = ProviderRow(
    name="vertex",
    dialects=("gemini", "anthropic"),
    key_variables=("VERTEX_API_KEY",),
    base_url_variables=("VERTEX_BASE_URL", "GOOGLE_VERTEX_BASE_URL"),
    auth=X_GOOG_API_KEY,
    signing=SigningScheme(kind="google", service="https://www.googleapis.com/auth/cloud-platform"),
    options={
        "project": Option(slot="project", variable="GOOGLE_CLOUD_PROJECT", variables=("GCLOUD_PROJECT",)),
        "location": Option(
            slot="location",
            form=r"[a-z][a-z0-9-]*",
            variable="GOOGLE_CLOUD_LOCATION",
            variables=("GOOGLE_CLOUD_REGION", "CLOUD_ML_REGION"),
            default="global",
        ),
        "api_version": Option(slot="version", form=r"v[0-9]+(?:(?:alpha|beta)[0-9]*)?", default="v1"),
        "credentials": Option(credential=True),  # a credentials file: its path, or what it holds
        "token": Option(credential=True),
    },
    shapes=(
        replace(
            _VERTEX, base_url="https://aiplatform.googleapis.com" + _PROJECT, when={"location": ("global",)}
        ),  # recorded
        # Several regions at once: the vendors' own clients.
        replace(
            _VERTEX,
            base_url="https://aiplatform.{location}.rep.googleapis.com" + _PROJECT,
            when={"location": ("us", "eu")},
        ),
        _VERTEX,
        # A key without a project: cloud.google.com/vertex-ai/generative-ai/docs/start/express-mode/overview.
        replace(
            _VERTEX,
            base_url="https://aiplatform.googleapis.com/{version}",
            when={"credential": ("key",), "location": ("global",)},
            written=(),
        ),
    ),
    reached={"claude-": "anthropic"},
    counts=("gemini", "anthropic"),
    lists_models=False,  # the list below a project is of models that the project keeps itself
    quirks=Quirks(
        # The discovery document has labels, and neither serviceTier nor store in its requests.
        gemini=GeminiQuirks(
            labels=True,
            batch_embeddings=False,
            enum_numbers="vertex",
            count_wrapped=False,
            refused=("serviceTier", "store"),
        )
    ),
    documentation="https://cloud.google.com/vertex-ai/generative-ai/docs/start/gcp-auth",
    checked="2026-11-20",
)

# -- Amazon Bedrock ----------------------------------------------------------------------------------------------------

_REGION = Option(
    slot="region",
    form=r"[a-z]{2}(?:-[a-z]+)+-[0-9]+",
    variable="AWS_REGION",
    variables=("AWS_DEFAULT_REGION",),
)
# Recorded; the other hosts are those of docs.aws.amazon.com/general/latest/gr/bedrock.html.
_BEDROCK = Shape(
    base_url="https://bedrock-runtime.{region}.amazonaws.com",
    origins=("https://bedrock-runtime-fips.{region}.amazonaws.com", "https://bedrock-runtime.{region}.api.aws"),
)

# Converse is what all models of the service speak. The protocols of OpenAI are spoken by few of them and elsewhere:
# they are the row below, lest a chat client's call be handed to a model that does not know them.
BEDROCK = ProviderRow(
    name="bedrock",
    dialects=("bedrock",),
    key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
    base_url_variables=("BEDROCK_BASE_URL", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME"),
    counts=("bedrock",),
    signing=SigningScheme(kind="aws", service="bedrock", slots=("region",)),
    options={
        "region": _REGION,
        "access_key_id": Option(credential=True),
        "secret_access_key": Option(credential=True),
        "session_token": Option(credential=True),
        "profile": Option(credential=True),
    },
    shapes=(
        replace(
            _BEDROCK,
            base_url="https://bedrock-runtime.{region}.amazonaws.com.cn",
            origins=(),
            when={"region": ("cn-*",)},
        ),
        _BEDROCK,
    ),
    # A schema is an error for most of the models (docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html).
    quirks=Quirks(bedrock=BedrockQuirks(schema_output=False)),
    documentation="https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys.html",
    checked="2026-11-20",
)

# Both addresses are recorded.
BEDROCK_MANTLE = ProviderRow(
    name="bedrock_mantle",
    dialects=("openai-responses", "openai-chat"),
    key_variables=("AWS_BEARER_TOKEN_BEDROCK",),
    base_url_variables=("BEDROCK_MANTLE_BASE_URL",),
    options={"region": _REGION},
    shapes=(
        Shape(
            base_url="https://bedrock-mantle.{region}.api.aws",
            written=("/openai/v1", "/v1"),
            paths=(
                PathRule(path="/responses", to="/openai/v1/responses"),
                PathRule(path="/", to="/v1/"),
            ),
        ),
    ),
    issuer="bedrock",
    documentation="https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
    checked="2026-11-20",
)

ROWS = (AZURE, BEDROCK, BEDROCK_MANTLE, VERTEX)
