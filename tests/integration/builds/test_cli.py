"""The command line as a user meets it: each mistake is one paragraph with its fix, and nothing half-written stays."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from building import CLI, build_file, rows, run, write_rows
from pairwright.testing import FaultServer


def assert_plain_error(done: subprocess.CompletedProcess[str], code: int, *said: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for part in said:
        assert part in done.stderr, done.stderr


def source(path: object) -> list[dict[str, str]]:
    return [{"use": "files", "source": "rows", "path": str(path), "licence": "MIT"}]


def test_a_wrong_key_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    file = build_file(tmp_path, judges=[{"use": "length_ratio", "longset": 2}])
    assert_plain_error(run("build", file), 2, f"{file}: judges.0.longset: unknown key, did you mean longest?")
    assert not (tmp_path / "build").exists()


def test_an_unknown_endpoint_is_refused(tmp_path: Path) -> None:
    file = build_file(tmp_path, generation=[{"role": "teacher", "endpoint": "nobody"}])
    assert_plain_error(run("build", file), 2, "generation.0.endpoint: no endpoint 'nobody'; there are: none")


@pytest.mark.parametrize("content", ["{}", "no tokenizer", None])
@pytest.mark.parametrize("command", ["check", "build"])
def test_a_tokenizer_that_is_none_is_named_before_anything_is_paid_for(
    tmp_path: Path, content: str | None, command: str
) -> None:
    tokenizer = tmp_path / "tokenizer.json"
    tokenizer.mkdir() if content is None else tokenizer.write_text(content)
    file = build_file(tmp_path, exports=[{"use": "card"}, {"use": "trl", "tokenizer": str(tokenizer)}])
    said = "a folder" if content is None else "no tokenizer: "
    assert_plain_error(run(command, file), 2, f"exports.1: {tokenizer}: {said}")
    assert not (tmp_path / "build" / "manifest.json").exists()


def test_check_says_that_the_ledger_is_another_file(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("somebody's notes")
    (tmp_path / "empty").touch()
    assert_plain_error(run("check", build_file(tmp_path, ledger=str(tmp_path / "notes.txt"))), 1, "no ledger")
    assert_plain_error(run("check", build_file(tmp_path, ledger="/dev/null")), 2, "ledger: ", "the device '/dev/null'")
    assert run("check", build_file(tmp_path, ledger=str(tmp_path / "empty"))).returncode == 0


def test_a_missing_source_is_named(tmp_path: Path) -> None:
    done = run("build", build_file(tmp_path, sources=source(tmp_path / "none.jsonl")))
    assert_plain_error(done, 1, "none.jsonl")
    assert not (tmp_path / "build" / "manifest.json").exists()


def test_an_empty_source_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").touch()
    assert_plain_error(run("build", build_file(tmp_path, sources=source(tmp_path / "empty.jsonl"))), 1, "empty.jsonl")


def test_bad_lines_over_the_limit_name_the_first_one(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text('{"query": "fine?", "history": []}\nnot json\n', encoding="utf-8")
    done = run("build", build_file(tmp_path, sources=source(tmp_path / "bad.jsonl"), limits={"max_failure_rate": 0.1}))
    assert_plain_error(done, 1, "1 of 2 rows failed", "bad.jsonl:2")


def test_no_rows_left_says_where_they_went(tmp_path: Path) -> None:
    (tmp_path / "zh.jsonl").write_text('{"query": "它怎么样？", "history": []}\n', encoding="utf-8")
    file = build_file(tmp_path, sources=source(tmp_path / "zh.jsonl"), context={"languages": ["en"]})
    assert_plain_error(run("build", file), 1, "no query is left", "dropped.jsonl")


def test_queries_without_any_answer_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "raw.jsonl").write_text('{"query": "它怎么样？", "history": []}\n', encoding="utf-8")
    assert_plain_error(
        run("build", build_file(tmp_path, sources=source(tmp_path / "raw.jsonl"))), 1, "no query has an accepted answer"
    )


def test_a_key_that_is_not_set_stops_the_build_before_anything_is_sent(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    endpoint = {"base_url": openai_server.base_url, "model": "stub", "api_key_env": "PAIRWRIGHT_TEST_UNSET_KEY"}
    for command in ("check", "build"):
        done = run(command, build_file(tmp_path, openai_server.base_url, endpoints={"teacher": endpoint}))
        assert_plain_error(done, 2 if command == "check" else 1, "PAIRWRIGHT_TEST_UNSET_KEY")
    assert openai_server.requests == 0


def test_a_wrong_api_key_names_the_variable_and_not_the_key(tmp_path: Path, openai_server: FaultServer) -> None:
    openai_server.key = "right"
    endpoint = {"base_url": openai_server.base_url, "model": "stub", "api_key_env": "TEST_WRONG_KEY"}
    done = run(
        "build",
        build_file(tmp_path, openai_server.base_url, endpoints={"teacher": endpoint}),
        env={"TEST_WRONG_KEY": "sk-wrong-1234"},
    )
    assert_plain_error(done, 1, "TEST_WRONG_KEY")
    assert "sk-wrong" not in done.stdout + done.stderr


def test_a_dead_endpoint_is_named(tmp_path: Path) -> None:
    done = run(
        "build",
        build_file(
            tmp_path,
            "http://127.0.0.1:9/v1",
            endpoints={"teacher": {"base_url": "http://127.0.0.1:9/v1", "model": "stub", "max_retries": 1}},
        ),
    )
    assert_plain_error(done, 1, "teacher", "http://127.0.0.1:9/v1")


def test_licences_that_cannot_be_combined_stop_the_build_before_anything_is_paid_for(
    tmp_path: Path, openai_server: FaultServer
) -> None:
    build_file(tmp_path)
    data = str(tmp_path / "rows.jsonl")
    mixed = [
        {"use": "files", "source": "shared", "path": data, "licence": "CC-BY-SA-4.0"},
        {"use": "files", "source": "found", "path": data},
    ]
    file = build_file(tmp_path, openai_server.base_url, sources=mixed)
    for command in ("check", "build"):
        assert_plain_error(run(command, file), 2, "share-alike shared (CC-BY-SA-4.0)", "unknown found (unknown)")
    assert openai_server.requests == 0
    assert not (tmp_path / "build").exists()
    done = run("build", build_file(tmp_path, sources=mixed), "--allow-licence")
    assert done.returncode == 0, done.stderr
    assert "allow_licences: true" in (tmp_path / "build" / "build.yaml").read_text(encoding="utf-8")


def test_two_builds_into_one_folder_are_refused(tmp_path: Path) -> None:
    file = build_file(tmp_path)
    (tmp_path / "build").mkdir()
    with (tmp_path / "build" / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert_plain_error(run("build", file), 1, "another build is running here")


@pytest.mark.skipif(
    os.geteuid() != 0 and shutil.which("unshare") is None, reason="a small file system needs root or unshare"
)
def test_a_full_disk_is_one_paragraph_and_the_older_build_stays(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    file = build_file(tmp_path, output=str(disk / "build"))
    # The file system lives in a mount namespace of its own and goes with it.
    script = f"mount -t tmpfs -o size=300k tmpfs {disk} && {' '.join(CLI)} build {file}; code=$?; find {disk} -name '*.partial'; exit $code"
    done = subprocess.run(["unshare", "-rm", "sh", "-c", script], capture_output=True, text=True, timeout=240)
    if "Operation not permitted" in done.stderr:
        pytest.skip("this machine lets nobody mount a small file system")
    assert_plain_error(done, 1, "No space left on device")
    assert ".partial" not in done.stdout


def test_plan_and_check_send_nothing_and_leave_nothing(tmp_path: Path, openai_server: FaultServer) -> None:
    file = build_file(
        tmp_path,
        openai_server.base_url,
        endpoints={
            "teacher": {"base_url": openai_server.base_url, "model": "stub", "price": {"input": 1, "output": 2}}
        },
    )
    planned = run("plan", file)
    assert planned.returncode == 0, planned.stderr
    assert "120" in planned.stdout
    checked = run("check", file)
    assert checked.returncode == 0, checked.stderr
    assert "60 queries, 60 of them with a reference" in checked.stdout
    assert openai_server.requests == 0
    assert not (tmp_path / "build").exists()


def test_show_marks_the_difference_and_tells_the_life_of_a_row(tmp_path: Path) -> None:
    assert run("build", build_file(tmp_path)).returncode == 0
    shown = run("show", tmp_path / "build", "--language", "zh", "--limit", "3")
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("chosen:") == 3
    assert "[-" in shown.stdout
    pair = shown.stdout.split(", pair ")[1].split()[0]
    told = run("show", tmp_path / "build", "--row", pair)
    assert "pairs.jsonl:" in told.stdout
    assert_plain_error(run("show", tmp_path / "build", "--defect", "nothing"), 2, "no such pair", "missing_entity")
    assert_plain_error(run("show", tmp_path / "elsewhere"), 2, "no finished build here")


def test_init_writes_a_file_that_checks_and_never_over_another(tmp_path: Path) -> None:
    assert run("init", tmp_path / "my.yaml").returncode == 0
    assert yaml.safe_load((tmp_path / "my.yaml").read_text())["name"] == "my-rewrites"
    assert_plain_error(run("init", tmp_path / "my.yaml"), 2, "exists already")


def test_list_and_schema_name_every_component() -> None:
    listed = run("list").stdout
    schema = json.loads(run("schema").stdout)
    names = [form["properties"]["use"].get("const") for form in schema["properties"]["perturbers"]["items"]["anyOf"]]
    assert "entity_deletion" in names
    assert all(name in listed for name in names if name)


def test_perturb_shows_variants_in_both_languages() -> None:
    chinese = run(
        "perturb",
        "--text",
        "云锦大酒店有健身房吗？",
        "--query",
        "这家有健身房吗？",
        "--history",
        "推荐一家酒店吧",
        "--history",
        "云锦大酒店不错。",
    )
    assert chinese.returncode == 0, chinese.stderr
    assert "这家酒店有健身房吗？" in chinese.stdout
    english = run(
        "perturb",
        "--text",
        "When was Ada Lindqvist born?",
        "--query",
        "When was she born?",
        "--history",
        "Who is Ada Lindqvist?",
    )
    assert "When was she born?" in english.stdout


def test_perturb_shows_worse_answers_and_calls(tmp_path: Path) -> None:
    tools = [
        {"name": name, "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}} for name in "fg"
    ]
    file = tmp_path / "tools.json"
    file.write_text(json.dumps([{"type": "function", "function": tool} for tool in tools]), encoding="utf-8")
    call = '[{"name": "f", "arguments": {"city": "Paris"}}]'
    shown = run("perturb", "--query", "Weather in Paris?", "--answer", call, "--tools", file)
    assert shown.returncode == 0, shown.stderr
    assert (
        "broken_json" in shown.stdout
        and "wrong_tool_argument" in shown.stdout
        and "entity_deletion" not in shown.stdout
    )
    said = '[{"name": "故宫", "price": 60}, {"name": "天坛", "price": 15}]'
    prose = run("perturb", "--query", "故宫门票多少钱？", "--answer", "故宫的门票是60元。", "--result", said)
    assert "天坛的门票是60元。" in prose.stdout or "故宫的门票是15元。" in prose.stdout


def test_perturb_wants_a_rewrite_or_an_answer_and_tools_that_are_tools(tmp_path: Path) -> None:
    neither = run("perturb", "--query", "q")
    assert_plain_error(neither, 2, "--text or --answer")
    absent = run("perturb", "--query", "q", "--answer", "a", "--tools", tmp_path / "none.json")
    assert_plain_error(absent, 2, "none.json")
    no_tools = run("perturb", "--query", "q", "--answer", "a", "--tools", '[{"type": "function"}]')
    assert_plain_error(no_tools, 2, "tool 1 has no name")


def test_evaluate_and_compare_print_tables_and_write_reports(tmp_path: Path) -> None:
    gold = rows("zh_gold.jsonl", 12)
    test = write_rows(tmp_path / "test.jsonl", gold)
    good = write_rows(tmp_path / "good.jsonl", [{"id": row["id"], "rewrite": row["rewrite"]} for row in gold])
    copied = write_rows(tmp_path / "copied.jsonl", [{"id": row["id"], "rewrite": row["query"]} for row in gold])
    done = run("evaluate", "--test", test, "--system", f"good={good}", "--output", tmp_path / "report")
    assert done.returncode == 0, done.stderr
    assert "exact_match" in done.stdout
    assert (tmp_path / "report" / "evaluation.html").exists()
    compared = run("compare", f"good={good}", f"copied={copied}", "--test", test, "--output", tmp_path / "compared")
    assert compared.returncode == 0, compared.stderr
    assert "good" in compared.stdout
    copied.write_text(copied.read_text(encoding="utf-8").split("\n", 1)[1], encoding="utf-8")
    broken = run("compare", f"good={good}", f"copied={copied}", "--test", test, "--output", tmp_path / "broken")
    assert_plain_error(broken, broken.returncode, str(gold[0]["id"]))
    assert broken.returncode in (1, 2)


def test_publish_lists_what_would_go_and_sends_nothing(tmp_path: Path) -> None:
    assert run("build", build_file(tmp_path, exports=[{"use": "trl"}, {"use": "card"}])).returncode == 0
    listed = run("publish", tmp_path / "build", "me/rewrites", "--dry-run", "--endpoint", "http://127.0.0.1:9")
    assert listed.returncode == 0, listed.stderr
    assert "README.md" in listed.stdout
    assert "nothing was sent" in listed.stdout
