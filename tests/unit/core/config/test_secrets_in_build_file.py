"""A key that stands in a build file, or a URL that holds one, is refused and never shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pairwright.core.config.build_file import parse_build, parse_endpoint
from pairwright.core.config.endpoint_urls import shown_url, url_problem
from pairwright.core.errors import ConfigError, ModelError
from pairwright.core.llm.endpoint import key_of
from pairwright.core.secret_patterns import hide_keys, is_variable_name
from pairwright.pipelines.catalogues import CATALOGUES
from pairwright.pipelines.preflight import check_endpoints

KEY = "sk-proj-4fJ9aQ2mXc7LrT0vBn8sKw3E"
SOURCE = {"use": "files", "source": "logs", "path": "日志"}
ENDPOINT = {"base_url": "http://models.example/v1", "model": "m"}


def problems(**keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_build({"name": "x", "output": "o", "sources": [SOURCE], **keys}, "x.yaml", CATALOGUES)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize(
    "keys",
    [
        {"endpoints": {"老师": {**ENDPOINT, "api_key": KEY}}},
        {"endpoints": {"老师": {**ENDPOINT, "api_key_env": KEY}}},
        {"endpoints": {"老师": {**ENDPOINT, "model": f"m {KEY}"}}},
        {"endpoints": {"老师": {**ENDPOINT, "extra_headers": {"x": f"Bearer {KEY}"}}}},
        {"endpoints": {KEY: ENDPOINT}},
        {"judges": [{"use": "somebody.elses:Judge", "token": KEY}]},
        {"judges": [{"use": "panel", "members": [{"use": "rubric", "rubric": KEY}]}]},
        {"sources": [{**SOURCE, "path": "https://me:4fJ9aQ2mXc7LrT0v@host/rows"}]},
    ],
)
def test_a_key_anywhere_is_refused_unshown(keys: dict[str, Any]) -> None:
    found = problems(**keys)
    assert "put it into an environment variable" in found
    assert "4fJ9aQ2m" not in found


@pytest.mark.parametrize(
    "keys",
    [
        {"sources": [{**SOURCE, "path": "https://h/x.jsonl?token=4fJ9"}]},
        {"sources": [{**SOURCE, "use": "huggingface", "path": "hf://4fJ9/x"}]},
        {"ledger": "sqlite:///x?password=4fJ9"},
        {"ledger": "file:x?mode=memory&4fJ9"},
        {"output": "file:x?mode=memory&4fJ9"},
        {"output": "s3://bucket/4fJ9"},
    ],
)
def test_an_address_in_place_of_a_path_is_refused_unshown(keys: dict[str, Any]) -> None:
    found = problems(**keys)
    assert next(iter(keys)) in found
    assert "4fJ9" not in found


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://me:4fJ9@models.example/v1", "put it into an environment variable"),
        ("https://4fJ9@models.example/v1", "a user name or password in the URL"),
        ("https://models.example/v1?key=4fJ9", "a '?', '#' or ';' in the URL"),
        ("https://models.example/v1#4fJ9", "a '?', '#' or ';' in the URL"),
        ("https://models.example/v1;key=4fJ9", "a '?', '#' or ';' in the URL"),
        ("models.example/v1/4fJ9", "begins with http:// or https://"),
        ("ftp://models.example/4fJ9", "begins with http:// or https://"),
        ("http:/models.example/4fJ9", "begins with http:// or https://"),
        ("http://[::1/4fJ9", "the brackets"),
        ("http://models.example:4fJ9/v1", "the port"),
        ("http://models.example:70000/4fJ9", "the port"),
        ("http://models.example:/4fJ9", "the port"),
        ("http:///4fJ9", "no host"),
        ("http://a..b/4fJ9", "no valid name"),
        ("http://1.2.3.999/4fJ9", "no valid address"),
        ("http://models.example/v1 4fJ9", "a space or another character"),
        ("http://models.example/\u200b4fJ9", "a space or another character"),
    ],
)
def test_a_url_that_cannot_be_one_is_refused_unshown(url: str, message: str) -> None:
    found = problems(endpoints={"t": {**ENDPOINT, "base_url": url}})
    assert found.startswith("x.yaml: endpoints.t.base_url: ")
    assert message in found
    assert "4fJ9" not in found


def test_a_url_that_ends_with_the_call_says_what_to_write() -> None:
    for end in ("", "/"):
        found = problems(endpoints={"t": {**ENDPOINT, "base_url": f"http://h:80/v1/chat/completions{end}"}})
        assert "write http://h:80/v1\n" in found


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/v1",
        "http://127.0.0.1:8000/v1/",
        "https://[::1]:80/v1",
        "http://my_host/v1",
        "http://模型.example/v1",
        "https://dashscope.aliyuncs.com/compatible-mode/v1",
    ],
)
def test_a_url_of_a_server_is_fine(url: str) -> None:
    assert url_problem(url) is None
    assert parse_endpoint("x", base_url=url, model="m").base_url == url


def test_a_url_is_shown_without_secrets() -> None:
    assert shown_url(f"https://me:{KEY}@[::1]:8/v1?k={KEY}#{KEY}") == "https://[::1]:8/v1"
    assert KEY not in shown_url(f"https://h/{KEY}/v1")
    assert "://" not in shown_url("http://[::1")


@pytest.mark.parametrize(
    "name", ["$KEY", "MY KEY", "sk-4fJ9", "hf_4fJ9aQ2mXc7LrT0v", "4fJ9", "", "钥匙", "a" * 8 + "4fJ9" * 6]
)
def test_what_names_no_variable_is_refused_unshown(name: str) -> None:
    found = problems(endpoints={"t": {**ENDPOINT, "api_key_env": name}})
    assert "api_key_env: expected the name of an environment variable" in found
    assert "4fJ9" not in found


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "hf_token", "HF_TOKEN", "DASHSCOPE_API_KEY_2", "K", "_x1"])
def test_a_variables_name_is_one(name: str) -> None:
    assert is_variable_name(name)


def test_what_stands_in_the_wrong_place_of_an_endpoint_is_not_shown() -> None:
    assert "4fJ9" not in problems(endpoints={"t": {**ENDPOINT, "timeout": "4fJ9"}})
    assert "4fJ9" not in problems(endpoints={"t": "4fJ9"})
    assert "found -3" in problems(endpoints={"t": {**ENDPOINT, "timeout": -3}})
    with pytest.raises(ConfigError) as caught:
        parse_endpoint("--judge", base_url="http://h/v1?4fJ9", model="m")
    assert "4fJ9" not in str(caught.value)
    assert "--judge: base_url: " in str(caught.value)


def test_what_stands_in_the_wrong_place_of_others_components_is_not_shown() -> None:
    ours = problems(judges=[{"use": "rubric", "endpoint": "t", "threshold": "4fJ9"}])
    assert "found '4fJ9'" in ours
    others = problems(judges=[{"use": "own_components:SomeJudge", "most": "4fJ9"}])
    assert "4fJ9" not in others


@pytest.mark.parametrize("value", ["4fJ9\n4fJ9", "4fJ9\r\nX-Evil: 1", "4fJ9“", "密钥4fJ9", "4fJ9\x1b[0m"])
def test_a_variable_that_holds_no_key_is_named_before_anything_is_sent(
    value: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("MY_KEY", value)
    endpoint = {**ENDPOINT, "api_key_env": "MY_KEY"}
    generation = [{"role": "teacher", "endpoint": "t"}]
    content = {"name": "x", "output": str(tmp_path), "sources": [SOURCE], "endpoints": {"t": endpoint}}
    config = parse_build({**content, "generation": generation}, "x.yaml", CATALOGUES)
    with pytest.raises(ModelError, match="environment variable MY_KEY holds") as sent:
        key_of("t", config.endpoints["t"])
    with pytest.raises(ConfigError, match="endpoints.t.api_key_env: the environment variable MY_KEY holds") as checked:
        list(check_endpoints(config))
    assert "4fJ9" not in f"{sent.value}{checked.value}"


def test_all_variables_that_are_not_set_are_named_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ONE_KEY", raising=False)
    monkeypatch.setenv("TWO_KEY", "4fJ9\n4fJ9")
    endpoints = {name: {**ENDPOINT, "api_key_env": f"{name}_KEY"} for name in ("ONE", "TWO")}
    content = {"name": "x", "output": str(tmp_path), "sources": [SOURCE], "endpoints": endpoints}
    generation = [{"role": "teacher", "endpoint": "ONE"}, {"role": "weak", "endpoint": "TWO"}]
    with pytest.raises(ConfigError) as caught:
        list(check_endpoints(parse_build({**content, "generation": generation}, "x.yaml", CATALOGUES)))
    assert [problem.split(": the environment")[0] for problem in caught.value.problems] == [
        "endpoints.ONE.api_key_env",
        "endpoints.TWO.api_key_env",
    ]
    assert "4fJ9" not in str(caught.value)


def test_a_line_break_after_a_key_is_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", f"{KEY}\n")
    assert key_of("t", parse_endpoint("x", **ENDPOINT, api_key_env="MY_KEY")) == KEY


@pytest.mark.parametrize("ledger", [":memory:", "", " ", "file:x?mode=memory", "."])
def test_a_ledger_is_a_file(ledger: str) -> None:
    assert "x.yaml: ledger: expected the path of a file" in problems(ledger=ledger)


def test_an_output_is_a_folder() -> None:
    assert "x.yaml: output: expected the path of a folder" in problems(output="")


def test_a_build_from_python_is_looked_at_as_well() -> None:
    assert "name: holds the character U+0000" in problems(name="甲\0")
    itself: list[Any] = []
    itself.append(itself)
    assert "more than 64 levels" in problems(judges=itself)


def test_words_are_no_keys() -> None:
    text = "the tasks of sk-l and task-sk-learn-dialogues stay"
    assert hide_keys(text) == text
    parse_build(
        {"name": "x", "output": "sk-learn-dialogues-for-small-models", "sources": [SOURCE]}, "x.yaml", CATALOGUES
    )
