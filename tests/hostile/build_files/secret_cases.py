"""Keys and passwords where they do not belong, odd keys in the environment, and addresses that are none."""

from __future__ import annotations

from hostile.build_files.case import Case, endpoint, keys

# Nobody's: made up. The part behind the prefix is what must be seen nowhere.
SECRET = "Qz7Vx2Lm9Rt4Kb8Wn3Yd6"
KEY = f"sk-proj-{SECRET}"
SERVER = "http://127.0.0.1:9/v1"


def at(url: str) -> str:
    """A build file whose teacher is at ``url`` (raw YAML)."""
    return endpoint(f"{{model: 通义, base_url: {url}}}")


def named(variable: str) -> str:
    """A build file whose teacher takes its key from ``variable`` (raw YAML)."""
    return endpoint(f"{{model: m, base_url: {SERVER}, api_key_env: {variable}}}")


def unused(settings: str) -> str:
    """A build file with an endpoint that nothing asks."""
    return keys(f"endpoints:\n  裁判: {settings}\n")


IN_THE_FILE = tuple(
    Case(f"secret-{name}", "secrets in the file", content, says=tuple(key.split()), secret=SECRET, command=command)
    for name, content, key, command in (
        ("url-password", at(f"http://me:{SECRET}@127.0.0.1:9/v1"), "base_url", "check"),
        ("url-password-with-at", at(f'"http://me:p@{SECRET}@127.0.0.1:9/v1"'), "base_url", "check"),
        ("url-user-only", at(f"http://{KEY}@127.0.0.1:9/v1"), "base_url", "check"),
        ("url-query", at(f'"{SERVER}?api_key={KEY}"'), "base_url", "check"),
        ("url-query-chinese", at(f'"{SERVER}?密钥={SECRET}"'), "base_url", "check"),
        ("url-fragment", at(f'"{SERVER}#{KEY}"'), "base_url", "check"),
        ("url-is-the-key", at(KEY), "base_url", "check"),
        ("url-after-the-key", at(f'"{KEY} {SERVER}"'), "base_url", "check"),
        ("url-password-bad-port", at(f"http://me:{SECRET}@host:99999/v1"), "base_url", "check"),
        ("url-in-a-list", at(f'["http://me:{SECRET}@127.0.0.1:9/v1"]'), "base_url", "check"),
        (
            "url-password-unused",
            unused(f"{{model: m, base_url: http://me:{SECRET}@127.0.0.1:9/v1}}"),
            "base_url",
            "build",
        ),
        ("url-query-unused", unused(f'{{model: m, base_url: "{SERVER}?token={SECRET}"}}'), "base_url", "build"),
        ("variable-is-sk", named(KEY), "api_key_env", "check"),
        (
            "variable-is-sk-unused",
            unused(f"{{model: m, base_url: {SERVER}, api_key_env: {KEY}}}"),
            "api_key_env",
            "build",
        ),
        ("variable-is-hf", named(f"hf_{SECRET}{SECRET[:13]}"), "api_key_env", "check"),
        (
            "variable-is-hf-unused",
            unused(f"{{model: m, base_url: {SERVER}, api_key_env: hf_{SECRET}{SECRET[:13]}}}"),
            "api_key_env",
            "build",
        ),
        ("variable-is-google", named(f"AIzaSy{SECRET}{SECRET[:12]}"), "api_key_env", "check"),
        ("variable-is-github", named(f"ghp_{SECRET}{SECRET[:15]}"), "api_key_env", "check"),
        ("variable-is-a-token", named(f"eyJhbGciOiJIUzI1NiJ9.{SECRET}.{SECRET[::-1]}"), "api_key_env", "check"),
        ("variable-is-bearer", named(f'"Bearer {KEY}"'), "api_key_env", "check"),
        ("variable-with-its-value", named(f'"TEACHER_KEY={KEY}"'), "api_key_env", "check"),
        ("variable-with-a-default", named(f'"${{TEACHER_KEY:-{KEY}}}"'), "api_key_env", "check"),
        ("variable-chinese-words", named(f'"密钥：{SECRET}"'), "api_key_env", "check"),
        ("variable-in-a-list", named(f"[{KEY}]"), "api_key_env", "check"),
        ("variable-in-a-mapping", named(f"{{value: {KEY}}}"), "api_key_env", "check"),
        ("variable-hex", named(f"{SECRET.lower()}0123456789abcdef"), "api_key_env", "check"),
        ("endpoint-is-the-key", unused(KEY), "endpoints", "check"),
        ("endpoints-are-a-key", keys(f"endpoints: {KEY}\n"), "endpoints", "check"),
        ("endpoints-are-a-list", keys(f"endpoints: [{KEY}, 其他]\n"), "endpoints", "check"),
        (
            "asked-by-its-url",
            keys(f"judges: [{{use: rubric, endpoint: 'http://me:{SECRET}@h/v1', dimensions: [clarity]}}]\n"),
            "endpoint",
            "check",
        ),
        ("api-key-in-an-endpoint", endpoint(f"{{model: m, base_url: {SERVER}, api_key: {KEY}}}"), "api_key", "check"),
        (
            "headers-in-an-endpoint",
            unused(f"{{model: m, base_url: {SERVER}, headers: {{Authorization: Bearer {KEY}}}}}"),
            "headers",
            "check",
        ),
        ("api-key-at-the-top", keys(f"api_key: {KEY}\n"), "api_key", "check"),
        ("timeout-is-the-key", endpoint(f"{{model: m, base_url: {SERVER}, timeout: {KEY}}}"), "timeout", "check"),
        (
            "in-a-line-that-is-not-yaml",
            keys(f'endpoints:\n  t: {{model: 通义, api_key: "{KEY}\n'),
            "build.yaml",
            "check",
        ),
        ("before-a-second-colon", keys(f"api_key: {KEY}: oops\n"), "build.yaml", "check"),
        ("under-a-tab", keys(f"endpoints:\n  t:\n\tapi_key: {KEY}\n"), "build.yaml", "check"),
        ("behind-a-tag", keys(f"endpoints: {{t: {{api_key_env: !env {KEY}}}}}\n"), "build.yaml", "check"),
        ("as-a-number", keys(f"endpoints: {{t: {{api_key_env: !!int {KEY}}}}}\n"), "build.yaml", "check"),
        (
            "key-twice",
            endpoint(f"{{model: m, api_key_env: {KEY}, api_key_env: OTHER, base_url: {SERVER}}}"),
            "build.yaml api_key_env",
            "check",
        ),
        ("as-an-alias", keys(f"endpoints: {{t: {{api_key_env: *{KEY}}}}}\n"), "build.yaml", "check"),
        ("before-a-nul", keys(f"# 密钥 {KEY}\0\n"), "build.yaml", "check"),
    )
)
IN_A_SOURCE = (
    Case("secret-source-url-password", "secrets in the file", keys(sources=f"[{{use: files, source: jia, path: 'https://me:{SECRET}@host/rows.jsonl'}}]"), "refused", (), secret=SECRET),
)  # fmt: skip
VARIABLES = tuple(
    Case(f"variable-{name}", "variables", named(variable), says=("api_key_env",))
    for name, variable in (
        ("with-a-dollar", "$TEACHER_KEY"),
        ("in-braces", '"${TEACHER_KEY}"'),
        ("of-windows", '"%TEACHER_KEY%"'),
        ("with-a-space", '"TEACHER KEY"'),
        ("of-chinese-words", "老师的密钥"),
        ("empty", '""'),
        ("with-a-nul", '"TEACHER\\0KEY"'),
        ("with-an-equals-sign", '"TEACHER=KEY"'),
        ("with-a-newline", '"TEACHER_KEY\\n"'),
        ("not-set", "PAIRWRIGHT_NEVER_SET"),
    )
)
ENVIRONMENT = tuple(
    Case(
        f"environment-{name}",
        "keys in the environment",
        named("HOSTILE_TEACHER_KEY"),
        expected,
        says=("HOSTILE_TEACHER_KEY",) if expected == "config error" else (),
        env={"HOSTILE_TEACHER_KEY": value},
        secret=SECRET,
    )
    for name, value, expected in (
        ("newline-at-the-end", f"{KEY}\n", "fine"),
        ("carriage-return-at-the-end", f"{KEY}\r\n", "fine"),
        ("newline-inside", f"{KEY}\nX-Evil: 1", "config error"),
        ("carriage-return-inside", f"{KEY}\rX-Evil: 1", "config error"),
        ("cyrillic", f"sk-ключ-{SECRET}", "config error"),
        ("chinese", f"密钥{SECRET}", "config error"),
        ("space-inside", f"sk {SECRET}", "config error"),
        ("tab-inside", f"sk\t{SECRET}", "config error"),
        ("escape", f"sk-\x1b[31m{SECRET}", "config error"),
        ("delete", f"sk-\x7f{SECRET}", "config error"),
        ("zero-width-space", f"\u200b{KEY}", "config error"),
        ("full-width", f"ｓｋ－{SECRET}", "config error"),
        ("invalid-utf8", f"sk-\udcff{SECRET}", "config error"),
        ("only-spaces", "   ", "config error"),
        ("empty", "", "config error"),
        ("quotes", f'"{KEY}"', "either"),
        ("very-long", KEY * 2000, "either"),
    )
)
URLS = tuple(
    Case(f"url-{name}", "addresses", at(url), says=("base_url",))
    for name, url in (
        ("letter", "x"),
        ("empty", '""'),
        ("only-a-scheme", '"http://"'),
        ("no-host", '"http:///v1"'),
        ("ftp", "ftp://127.0.0.1/v1"),
        ("file", "file:///etc/passwd"),
        ("javascript", '"javascript:alert(1)"'),
        ("no-scheme", '"127.0.0.1:8000/v1"'),
        ("no-scheme-localhost", '"localhost:8000/v1"'),
        ("two-slashes", '"//host/v1"'),
        ("one-slash", '"http:/host/v1"'),
        ("port-99999", "http://host:99999/v1"),
        ("port-letters", "http://host:abc/v1"),
        ("port-chinese", "http://host:八千/v1"),
        ("port-negative", "http://host:-1/v1"),
        ("port-zero", "http://host:0/v1"),
        ("ipv6-open", '"http://[::1/v1"'),
        ("ipv6-rubbish", '"http://[::zz]/v1"'),
        ("space-inside", '"http://my host/v1"'),
        ("space-in-the-path", '"http://host/v 1"'),
        ("newline-inside", '"http://host\\n/v1"'),
        ("escape-inside", '"http://host/\\e[31m红/v1"'),
        ("nul-inside", '"http://ho\\0st/v1"'),
        ("surrogate-inside", '"http://host/\\ud800/v1"'),
        ("full-width-colon", "http：//主机/v1"),
        ("only-dots-as-a-host", "http://.../v1"),
        ("host-of-300-letters", f"http://{'h' * 300}/v1"),
        ("with-chat-completions", f"{SERVER}/chat/completions"),
        ("with-chat-completions-and-a-slash", f"{SERVER}/chat/completions/"),
        ("number", "8000"),
        ("mapping", "{host: 127.0.0.1, port: 9}"),
        ("backslashes", '"http:\\\\\\\\host\\\\v1"'),
    )
)
IDN = Case("url-idn", "addresses", at("https://模型.例子/v1"), "either", ())
SECRET_CASES = (*IN_THE_FILE, *IN_A_SOURCE, *VARIABLES, *ENVIRONMENT, *URLS, IDN)
