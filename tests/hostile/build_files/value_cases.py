"""Values of a wrong type or size, unknown and missing keys, names that nothing has."""

from __future__ import annotations

from hostile.build_files.case import Case, endpoint, keys

ROWS = "use: files, path: rows.jsonl"
TYPES = tuple(
    Case(f"type-{name}", "types", content, says=("build.yaml", key))
    for name, content, key in (
        ("name-is-a-list", keys(name="[small]"), "name"),
        ("name-is-no", keys(name="no"), "name"),
        ("name-is-a-number", keys(name="2024"), "name"),
        ("name-is-empty", keys(name='""'), "name"),
        ("name-is-chinese", keys(name="小数据集"), "name"),
        ("name-climbs", keys(name='"../other"'), "name"),
        ("output-is-a-list", keys(output="[build, 构建]"), "output"),
        ("output-is-a-mapping", keys(output="{folder: build}"), "output"),
        ("sources-is-a-text", keys(sources="rows.jsonl"), "sources"),
        ("sources-is-a-mapping", keys(sources="{use: files, source: jia, path: rows.jsonl}"), "sources"),
        ("source-is-a-text", keys(sources="[rows.jsonl]"), "sources"),
        ("source-is-null", keys(sources="[null]"), "sources"),
        ("seed-is-true", keys(seed="true"), "seed"),
        ("seed-is-yes", keys("limits: {max_rows: yes}\n"), "max_rows"),
        ("share-is-true", keys(split="{test: 0, validation: on}"), "validation"),
        ("share-is-false", keys("limits: {max_failure_rate: off}\n"), "max_failure_rate"),
        ("seed-is-a-word", keys(seed="三"), "seed"),
        ("rows-with-a-unit", keys('limits: {max_rows: "10k"}\n'), "max_rows"),
        ("rows-negative", keys("limits: {max_rows: -1}\n"), "max_rows"),
        ("rows-zero", keys("limits: {max_rows: 0}\n"), "max_rows"),
        ("cost-negative", keys("limits: {max_cost: -0.5}\n"), "max_cost"),
        ("turns-negative", keys("context: {turns: -3}\n"), "turns"),
        ("shares-too-large", keys(split="{validation: 0.6, test: 0.6}"), "split"),
        ("band-upside-down", keys(pairing="{no_rewrite_share: [0.5, 0.1]}"), "no_rewrite_share"),
        ("band-of-three", keys(pairing="{no_rewrite_share: [0, 1, 2]}"), "no_rewrite_share"),
        ("section-is-null", keys("limits:\n"), "limits"),
        ("section-is-a-list", keys("limits: [max_rows, 3]\n"), "limits"),
        ("language-unknown", keys("context: {languages: [zh, 中文]}\n"), "languages"),
        ("flag-is-a-number", keys("allow_licences: 7\n"), "allow_licences"),
        ("task-unknown", keys("task: translate\n"), "task"),
        ("earlier-is-a-text", keys("dedup: {earlier: builds/old}\n"), "earlier"),
        ("keys-are-numbers", keys("1: a\n2: b\n"), "1"),
        ("keys-are-null-and-true", keys("~: a\ntrue: b\n"), "build.yaml"),
        ("key-of-a-component-is-a-number", keys(perturbers="[{use: unchanged_copy, 1: 一}]"), "perturbers"),
        ("key-of-a-source-is-null", keys(sources=f"[{{{ROWS}, source: a, ~: 1}}]"), "sources"),
        ("endpoint-named-by-a-number", keys("endpoints: {1: {use: embedded}}\n"), "endpoints"),
    )
)
KEYS = tuple(
    Case(f"key-{name}", "keys", content, says=("build.yaml", *said))
    for name, content, said in (
        ("typo-at-the-top", keys(exports=None, export="[{use: llamafactory}]"), ("export", "did you mean")),
        ("typo-in-a-section", keys("limits: {max_row: 3}\n"), ("max_row", "did you mean")),
        ("typo-in-a-source", keys(sources="[{use: files, source: jia, pathh: rows.jsonl}]"), ("pathh", "did you mean")),
        ("typo-in-a-mapping", keys(sources=f"[{{{ROWS}, source: a, mapping: {{qurey: 问}}}}]"), ("qurey", "did you mean")),
        ("typo-in-an-endpoint", endpoint("{use: embedded, time_out: 3}"), ("time_out", "did you mean")),
        ("typo-in-a-panel", keys("judges: [{use: panel, members: [{use: length_ratio, longset: 2}]}]\n"), ("longset",)),
        ("setting-of-a-component-without-any", keys(perturbers="[{use: unchanged_copy, 比例: 0.5}]"), ("比例",)),
        ("with-a-space", keys('"name ": x\n'), ("name ",)),
        ("upper-case", keys("Seed: 3\n"), ("Seed",)),
        ("chinese", keys("输出: 构建\n"), ("输出",)),
        ("missing-name", keys(name=None), ("name", "missing")),
        ("missing-output", keys(output=None), ("output", "missing")),
        ("missing-sources", keys(sources=None), ("sources", "missing")),
        ("missing-path", keys(sources="[{use: files, source: jia}]"), ("path", "missing")),
        ("missing-source-name", keys(sources=f"[{{{ROWS}}}]"), ("source", "missing")),
        ("missing-use", keys(exports="[{format: sharegpt}]"), ("exports", "use")),
        ("missing-role", keys("endpoints: {t: {use: embedded}}\ngeneration: [{endpoint: t}]\n"), ("role", "missing")),
        ("missing-model", endpoint("{base_url: http://127.0.0.1:9/v1}"), ("teacher", "model")),
        ("missing-url", endpoint("{model: 通义}"), ("teacher", "base_url")),
        ("sources-empty", keys(sources="[]"), ("sources",)),
        ("sources-null", keys(sources=""), ("sources",)),
        ("source-name-empty", keys(sources=f'[{{{ROWS}, source: ""}}]'), ("source",)),
        ("exports-unknown", keys(exports="[{use: llama_factory}]"), ("exports", "did you mean llamafactory")),
        ("exports-unknown-trainer", keys(exports="[{use: axolotl}]"), ("exports", "axolotl")),
        ("exports-chinese", keys(exports="[{use: 训练器}]"), ("exports", "训练器")),
        ("export-form-unknown", keys(exports="[{use: llamafactory, form: sharegtp}]"), ("form",)),
        ("source-kind-unknown", keys(sources="[{use: mysql, source: jia}]"), ("sources", "mysql")),
        ("judge-endpoint-unknown", keys("judges: [{use: rubric, endpoint: 裁判, dimensions: [clarity]}]\n"), ("judges.0", "裁判")),
        ("panel-endpoint-unknown", keys("judges: [{use: panel, members: [{use: rubric, endpoint: jury, dimensions: [clarity]}]}]\n"), ("jury",)),
        ("generation-endpoint-typo", keys("endpoints: {teacher: {use: embedded}}\ngeneration: [{role: teacher, endpoint: techer}]\n"), ("techer", "did you mean teacher")),
        ("gate-endpoint-unknown", keys("gate: {use: llm, endpoint: 门}\n"), ("gate", "门")),
        ("verify-without-comparison", keys(pairing="{verify: judge}"), ("pairing.verify",)),
    )
) + tuple(
    Case(f"source-{name}", "sources", keys(sources=f"[{{use: files, source: rows, path: {path}}}]"), "refused", says)
    for name, path, says in (
        ("missing", "nothing.jsonl", ("nothing.jsonl",)),
        ("missing-chinese", "数据/对话.jsonl", ("对话.jsonl",)),
        ("glob-without-a-match", '"数据/**/*.jsonl.gz"', ("数据/**/*.jsonl.gz",)),
        ("folder", '"."', ()),
        ("empty-path", '""', ("path",)),
        ("device", "/dev/null", ("/dev/null",)),
        ("the-build-file", "build.yaml", ("build.yaml",)),
        ("name-too-long", "长" * 100 + ".jsonl", ()),
        ("path-too-long", '"' + "a/" * 4000 + 'b.jsonl"', ()),
        ("below-a-file", "rows.jsonl/more.jsonl", ("rows.jsonl/more.jsonl",)),
        ("glob-of-brackets", '"[[[[.jsonl"', ("[[[[.jsonl",)),
        ("is-a-number", "7", ("path",)),
        ("is-a-list", "[rows.jsonl, 对话.jsonl]", ("path",)),
    )
)  # fmt: skip
VALUE_CASES = (*TYPES, *KEYS)
