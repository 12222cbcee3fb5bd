"""What a user reads about a configuration that cannot be used: all of it at once, each with its line and a way out."""

from __future__ import annotations

from pathlib import Path

import pytest

from dragoman.errors import ConfigError
from dragoman.gateway.config import InvalidConfig, load
from tests.gateway.configs import KEYS, config, problems


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    assert problems(
        """
        sever: {port: 4000}
        server:
          port: "4000"
          host: 127.0.0.1
        providers:
          opnai: {api_key: sk-1}
          groq: {api_key: "${GROQ_KEY}"}
        models:
          fast:
            deployments: [groq/llama, mistrl/small, llama]
            fallback: [slow]
            fallbacks: [fsat, slwo]
          slow: [groq/llama]
        keys:
          - {name: ci, kye: abc}
        """
    ) == [
        "dragoman.yaml:1: sever: there is no such member. Did you mean 'server'?",
        "dragoman.yaml:3: server.port: a whole number is wanted here, and not the text '4000'",
        "dragoman.yaml:6: providers.opnai: no provider of the catalogue is called 'opnai'. Did you mean 'openai'? For "
        "one of your own give a dialect and its base_url, or like: with the name of one of its kind",
        "dragoman.yaml:7: providers.groq.api_key: the environment variable GROQ_KEY is not set; set it, or write "
        "${GROQ_KEY:-default}",
        "dragoman.yaml:10: models.fast.deployments[1]: no provider is called 'mistrl'. Did you mean 'mistral'?",
        "dragoman.yaml:10: models.fast.deployments[2]: 'llama' is no deployment: write 'provider/model'.",
        "dragoman.yaml:11: models.fast.fallback: there is no such member. Did you mean 'fallbacks'?",
        "dragoman.yaml:12: models.fast.fallbacks[0]: no model here is called 'fsat'. Did you mean 'fast'?",
        "dragoman.yaml:12: models.fast.fallbacks[1]: no model here is called 'slwo'. Did you mean 'slow'?",
        "dragoman.yaml:15: keys[0]: 'key' is missing; or give its SHA-256 digest as key_sha256",
        "dragoman.yaml:15: keys[0].kye: there is no such member. Did you mean 'key'?",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("server: {port: 70000}", "1: server.port: 70000 is out of range: it has to be at most 65,535"),
        ("server: {hold_seconds: 0}", "1: server.hold_seconds: 0 is out of range: it has to be more than 0"),
        ("server: {workers: 1.5}", "1: server.workers: a whole number is wanted here, and not the number 1.5"),
        ("server: {workers: true}", "1: server.workers: a whole number is wanted here, and not true"),
        ("server: [4000]", "1: server: a block of members is wanted here, and not a list"),
        ("server: 4000", "1: server: a block of members is wanted here, and not the number 4000"),
        ("server:\n  port:", "2: server.port: a whole number is wanted here, and nothing is given"),
        ("server: {host: 127}", "1: server.host: a text is wanted here, and not the number 127; put it in quotes"),
        (
            'server: {port: "${PORT}"}',
            "1: server.port: a whole number is wanted here, and not the text '${PORT}': a reference always gives a "
            "text",
        ),
        ("spool: {sync: grop}", "1: spool.sync: 'grop' is not among what may stand here. Did you mean 'group'?"),
        ("spool: {sync: always}", "1: spool.sync: 'always' is not among what may stand here. There are group, none."),
        (
            "spool: {segment_bytes: 1048576, max_bytes: 2097151}",
            "1: spool.max_bytes: there must be room for two segments, which is 2097152 bytes",
        ),
        ("storage: {redis: localhost}", "1: storage.redis: null is wanted here, and not the text 'localhost'"),
        (
            "storage: {database: postgres://db}",
            "1: storage.database: a database is an SQLite file, as in 'sqlite:///dragoman.db'",
        ),
        ("models: {fast: []}", "1: models.fast: the list is empty"),
        (
            "models: {fast: openai/gpt-4o}",
            "1: models.fast: a list or a block of members is wanted here, and not the text 'openai/gpt-4o'",
        ),
        ("models: {fast: {}}", "1: models.fast: 'deployments' is missing"),
        ("models: {'a*b*': [openai/gpt-4o]}", "1: models['a*b*']: a pattern has one star"),
        (
            "server: {trusted_hosts: ['http://x']}",
            "1: server.trusted_hosts[0]: this is not the name of a host: write 'gateway.example'",
        ),
        (
            "models: {fast: ['openai/gpt-*']}",
            "1: models.fast[0]: 'openai/gpt-*': a star stands in the name of the model, once, and only where the "
            "model's own name is a pattern",
        ),
        (
            "models: {fast: [openai/gpt-4o, {model: openai/gpt-4o}]}",
            "1: models.fast[1]: 'openai/gpt-4o' is deployed twice in this model; give one of them a name of its own",
        ),
        (
            "models: {fast: {deployments: [openai/gpt-4o], fallbacks: [openai/gpt-4]}}",
            "1: models.fast.fallbacks[0]: no model here is called 'openai/gpt-4'. A provider's model belongs among the "
            "deployments.",
        ),
        (
            "models: {fast: {deployments: [openai/gpt-4o], allow: [tools]}}",
            "1: models.fast.allow[0]: 'tools' is not among what may stand here. Did you mean 'mcp_tools'?",
        ),
    ],
)
def test_a_value_that_cannot_stand_there_is_told_with_what_can(text: str, said: str) -> None:
    assert problems(text, OPENAI_API_KEY="sk-openai") == [f"dragoman.yaml:{said}"]


def test_a_member_given_twice_is_refused_beside_everything_else() -> None:
    assert problems(
        """
        models:
          a: [openai/gpt-4o]
          b: [openai/gpt-4o]
          a: [openai/gpt-4o-mini]
        log: {request: none}
        """,
        OPENAI_API_KEY="sk-openai",
    ) == [
        "dragoman.yaml:4: 'a' is given twice in this block; the first is in line 2",
        "dragoman.yaml:5: log.request: there is no such member. Did you mean 'requests'?",
    ]


def test_fallbacks_in_a_circle_are_told_with_the_way_around() -> None:
    assert problems(
        """
        models:
          a: {deployments: [openai/a], fallbacks: [b]}
          b: {deployments: [openai/b], fallbacks: [c-1]}
          "c-*": {deployments: [openai/*], fallbacks: [a]}
          itself: {deployments: [openai/d], fallbacks: [itself]}
        """,
        OPENAI_API_KEY="sk-openai",
    ) == [
        "dragoman.yaml:4: models['c-*'].fallbacks[0]: the fallbacks go in a circle: a → b → c-* → a",
        "dragoman.yaml:5: models.itself.fallbacks[0]: the fallbacks go in a circle: itself → itself",
    ]


def test_a_fallback_that_two_models_share_is_no_circle() -> None:
    found = config(
        """
        models:
          a: {deployments: [openai/a], fallbacks: [b, c]}
          b: {deployments: [openai/b], fallbacks: [c]}
          c: [openai/c]
        """
    )
    assert list(found.models) == ["a", "b", "c"]


def test_a_provider_without_a_key_is_told_once_where_it_would_be_given() -> None:
    assert problems(
        """
        providers:
          openai: {organization: org-1}
        models:
          a: [openai/a, openai/b]
          b: [groq/a, groq/b]
        """
    ) == [
        "dragoman.yaml:2: providers.openai: openai needs an API key: give api_key in providers.openai, or set "
        "OPENAI_API_KEY; 'api_key: none' sends none",
        "dragoman.yaml:5: models.b[0]: groq needs an API key: give api_key in providers.groq, or set GROQ_API_KEY; "
        "'api_key: none' sends none",
    ]


def test_deployments_with_keys_of_their_own_need_none_of_the_provider() -> None:
    found = config("models: {a: [{model: xai/grok, api_key: xai-1}]}")
    assert found.providers["xai"].missing is not None


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("openai: {organisation: o}", "openai.organisation: there is no such member. Did you mean 'organization'?"),
        ("openai: {organization: [o]}", "openai.organization: a text is wanted here"),
        ("openai: {dialect: anthropic}", "openai.dialect: openai does not speak 'anthropic'; it speaks openai-"),
        ("openai: {dialect: openai}", "openai.dialect: 'openai' is not among what may stand here. Did you mean"),
        ("openai: {like: groq}", "openai.like: 'openai' is itself a name of the catalogue; choose another name for"),
        ("eu: {like: grok}", "eu.like: no provider of the catalogue is called 'grok'. Did you mean 'groq'?"),
        ("mock: {}", "mock: mock makes its models inside of a program; the gateway cannot reach it"),
        ("own: {dialect: openai-chat}", "own: 'base_url' is missing: own is a provider of your own, so nobody knows"),
        ("own: {dialect: gemini, dialects: [gemini], base_url: 'http://a'}", "own.dialects: give dialect or dialects"),
        ("own: {dialect: openai-chat, base_url: a.example}", "own: base_url has no scheme: write 'http://a.example'"),
        ("own: {dialect: openai-chat, base_url: 'http://a', hedaers: {}}", "own.hedaers: there is no such member. Did"),
        ("openai: {headers: {Authorization: x}}", "openai.headers.Authorization: this header is written by the"),
        ("openai: {headers: {'a b': x}}", "openai.headers['a b']: this cannot be the name of a header"),
        ("openai: {headers: {X-A: x, x-a: y}}", "openai.headers.x-a: this header is given twice; letters of names"),
        ('openai: {headers: {x-a: "x\\ny"}}', "openai.headers.x-a: a header's value is one line of ASCII text"),
        ("openai: {timeout: {conect: 1}}", "openai.timeout.conect: there is no such member. Did you mean 'connect'?"),
        ("openai: {timeout: 0}", "openai.timeout: 0 is out of range: it has to be more than 0"),
        ("openai: {ca_file: absent.pem}", "openai.ca_file: 'absent.pem' cannot be read, or holds no certificates"),
        ("openai: {proxy: 'socks5://u:pw@p'}", "openai.proxy: this is not the URL of a proxy: write 'http://user:pass"),
        ("llama: {backend: nowhere}", "llama.backend: llama: backend must be one of"),
        ("azure: {resource: 'a/b'}", "azure.resource: this cannot be a part of the provider's address"),
        ("'a/b': {like: groq}", "['a/b']: a provider's name is a word without '/'"),
    ],
)
def test_a_providers_block_is_held_to_what_the_provider_takes(block: str, said: str, tmp_path: Path) -> None:
    told = problems(f"providers:\n  {block}\n", tmp_path, **KEYS)
    assert told[0].startswith((f"dragoman.yaml:2: providers.{said}", f"dragoman.yaml:2: providers{said}"))


def test_unsafe_serving_is_refused() -> None:
    assert problems("server: {host: 0.0.0.0}") == [
        "dragoman.yaml:1: server.host: at 0.0.0.0 others can reach the gateway, and nobody would need a key: give "
        "server.master_key or keys, or listen at 127.0.0.1"
    ]
    assert problems("server:\n  host: '::'\n  master_key: sk-1234\nkeys: [{name: a, key: aaaaaaaaaaaaaaaaaa}]") == [
        "dragoman.yaml:3: server.master_key: this key is too weak for a gateway that others can reach: it has 7 "
        "letters, and needs 16; 'openssl rand -hex 24' makes a good one",
        "dragoman.yaml:4: keys[0].key: this key is too weak for a gateway that others can reach: it repeats few "
        "letters; 'openssl rand -hex 24' makes a good one",
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "localhost", "::1"])
def test_a_short_key_is_taken_where_nobody_else_can_reach_it(host: str) -> None:
    assert config(f"server: {{host: '{host}', master_key: short}}").server.host == host


def test_keys_are_told_apart_by_name_and_by_secret() -> None:
    digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    told = problems(
        f"""
        server: {{master_key: other}}
        keys:
          - {{name: a, key: test}}
          - {{name: a, key: test2}}
          - {{name: b, key_sha256: {digest}}}
          - {{name: c, key: other}}
          - {{name: master, key: test3}}
          - {{name: d, key: test4, key_sha256: {digest}}}
          - {{name: e, key_sha256: abc}}
          - {{name: f, key: "two words"}}
        """
    )
    assert told == [
        "dragoman.yaml:4: keys[1].name: two keys are called 'a'; the first is keys[0]",
        "dragoman.yaml:5: keys[2].key_sha256: this is the same secret as that of the key 'a'",
        "dragoman.yaml:6: keys[3].key: this is the same secret as that of server.master_key",
        "dragoman.yaml:7: keys[4].name: 'master' is a name of the gateway's own; choose another one",
        "dragoman.yaml:8: keys[5]: give key or key_sha256, not both",
        "dragoman.yaml:9: keys[6].key_sha256: a SHA-256 digest is 64 hexadecimal digits",
        "dragoman.yaml:10: keys[7].key: a key is made of ASCII letters, digits and signs, without spaces",
    ]


def test_what_a_key_may_do_has_to_exist() -> None:
    told = problems(
        """
        models: {fast: [openai/gpt-4o]}
        keys:
          - name: a
            key: secret
            models: [fats, "claude-*", "a*b*"]
            limits: {rpm: 0}
            pass_through:
              - {provider: opnai, methods: [get], paths: [files, /a/../b, "/x*", /a/%2e]}
        """,
        OPENAI_API_KEY="sk-openai",
    )
    assert told == [
        "dragoman.yaml:5: keys[0].models[0]: no model here is called 'fats'. Did you mean 'fast'?",
        "dragoman.yaml:5: keys[0].models[2]: a pattern has one star",
        "dragoman.yaml:6: keys[0].limits.rpm: 0 is out of range: it has to be at least 1",
        "dragoman.yaml:8: keys[0].pass_through[0].methods[0]: 'get' is not among what may stand here. Did you mean "
        "'GET'?",
        "dragoman.yaml:8: keys[0].pass_through[0].paths[0]: 'files': a path begins with '/'",
        "dragoman.yaml:8: keys[0].pass_through[0].paths[1]: '/a/../b': a path holds no dot segments",
        "dragoman.yaml:8: keys[0].pass_through[0].paths[2]: '/x*': '*' stands for one whole segment, and '**' for the "
        "last ones",
        "dragoman.yaml:8: keys[0].pass_through[0].paths[3]: '/a/%2e': a path is made of segments that are neither "
        "empty nor percent-encoded",
        "dragoman.yaml:8: keys[0].pass_through[0].provider: no provider is called 'opnai'. Did you mean 'openai'?",
    ]


def test_no_secret_is_shown_whatever_is_wrong_with_it() -> None:
    told = problems(
        """
        server: {master_key: [hush-1], host: 0.0.0.0}
        providers:
          openai: {api_key: 20202020, headers: {x-a: "hush\\n3"}, proxy: "ftp://u:hush-4@p"}
          groq: {api_key: "hush 5"}
          bedrock: {secret_access_key: [hush-6], region: eu-west-1}
        keys: [{name: a, key: hush-7}, {name: b, key: "${SECRET}", models: 3}, {name: c, key: hush-7}]
        """,
        SECRET="hush-8",
    )
    assert len(told) >= 7
    assert not [line for line in told if "hush" in line or "20202020" in line]


def test_a_configuration_prints_without_its_secrets() -> None:
    found = config(
        """
        server: {master_key: hush-1}
        providers:
          openai: {api_key: hush-2, headers: {x-a: hush-3}, proxy: "http://u:hush-4@p.example:1"}
          bedrock: {access_key_id: hush-5, secret_access_key: hush-6, region: eu-west-1}
        models: {a: [{model: openai/a, api_key: hush-7}]}
        keys: [{name: a, key: hush-8}]
        """
    )
    assert "hush" not in repr(found) + str(found.providers) + str(found.models) + str(found.keys)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.yaml cannot be read: No such file or directory"):
        load(tmp_path / "nothing.yaml")
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(b"server:\n  host: \xff\xfe\n")
    with pytest.raises(InvalidConfig, match=r"binary\.yaml:2: not UTF-8 text"):
        load(binary)
