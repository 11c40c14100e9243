"""What YAML itself can do to a reader: keys twice, tags, numbers, aliases, depth, characters."""

from __future__ import annotations

from hostile.build_files.case import Case, keys

BIG = 5000  # digits; Python refuses to read or print integers of more than 4300


def bomb(levels: int, width: int = 10) -> str:
    """A list of lists of lists …, each the one before, ``width`` times."""
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * width)}]" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


def merge_bomb(levels: int) -> str:
    """Mappings that hold the one before, ten times each."""
    lines = ["m0: &m0 {" + ", ".join(f"k{n}: v" for n in range(10)) + "}"]
    lines += [f"m{n}: &m{n} {{{', '.join(f'k{k}: *m{n - 1}' for k in range(10))}}}" for n in range(1, levels)]
    return "\n".join(lines) + "\n"


TWICE = tuple(
    Case(f"twice-{name}", "duplicate keys", content, says=("build.yaml", key))
    for name, content, key in (
        ("name-at-the-top", keys("name: other\n"), "name"),
        ("output-at-the-top", keys("output: elsewhere\n"), "output"),
        ("sources-far-below", keys("seed: 1\n# 还有一个来源\nsources: []\n"), "sources"),
        ("in-a-section", keys("limits:\n  max_rows: 5\n  max_requests: 1\n  max_rows: 50000\n"), "max_rows"),
        ("in-a-section-in-flow-style", keys(split="{test: 0.1, validation: 0.1, test: 0.5}"), "test"),
        (
            "in-a-list-item",
            keys(sources="\n  - use: files\n    source: rows\n    path: rows.jsonl\n    source: other\n"),
            "source",
        ),
        (
            "in-a-list-item-in-flow-style",
            keys(sources="[{use: files, source: rows, path: rows.jsonl, path: 对话.jsonl}]"),
            "path",
        ),
        (
            "endpoints",
            keys("endpoints:\n  老师: {use: embedded}\n  judge: {use: embedded}\n  老师: {use: embedded, slots: 2}\n"),
            "老师",
        ),
        ("endpoint-settings", keys("endpoints: {t: {use: embedded, timeout: 5, timeout: 500}}\n"), "timeout"),
        ("beside-a-merge-key", keys("limits:\n  <<: {max_rows: 3}\n  max_rows: 4\n  max_rows: 5\n"), "max_rows"),
        ("two-merge-keys", keys("limits:\n  <<: {max_rows: 3}\n  <<: {max_rows: 4}\n"), "<<"),
        ("quoted-and-plain", keys('"name": other\n'), "name"),
        ("use-in-a-list-item", keys(perturbers="[{use: unchanged_copy, use: entity_deletion}]"), "use"),
    )
)
DATES = tuple(
    Case(f"date-{name}", "dates", content, says=("build.yaml", key))
    for name, content, key in (
        ("thirtieth-of-february", keys(seed="2024-02-30"), "seed"),
        ("month-thirteen", keys(split="{test: 2024-13-01}"), "test"),
        ("hour-25", keys(seed="2024-01-01 25:00:00"), "seed"),
        ("minute-61-with-zone", keys(seed="2024-01-01T10:61:00+08:00"), "seed"),
        ("zone-of-99-hours", keys(seed="2024-01-01T10:00:00+99:00"), "seed"),
        ("year-zero-in-a-list", keys("context: {languages: [0000-00-00]}\n"), "languages"),
        ("as-a-key", keys("2024-02-30: 日期\n"), "2024-02-30"),
        ("good-one-for-a-number", keys("limits: {max_rows: 2024-05-01}\n"), "max_rows"),
    )
)
TAGS = tuple(
    Case(f"tag-{name}", "tags", content, says=("build.yaml",), absent=("pwned",))
    for name, content in (
        ("int-abc", keys(seed="!!int abc")),
        ("int-empty", keys(seed='!!int ""')),
        ("int-chinese-digits", keys(seed="!!int 三")),
        ("float-rubbish", keys(split="{test: !!float 一半}")),
        ("bool-maybe", keys("allow_licences: !!bool maybe\n")),
        ("binary-rubbish", keys(name="!!binary 这不是base64")),
        ("binary-bytes", keys(name="!!binary gICAgA==")),
        ("timestamp-rubbish", keys(seed="!!timestamp 昨天")),
        ("timestamp-empty", keys(seed='!!timestamp ""')),
        ("set", keys(exports="!!set {llamafactory, trl}")),
        ("omap-of-a-scalar", keys(sources="!!omap rows")),
        ("pairs", keys(sources="!!pairs [use: files, source: rows]")),
        ("map-of-a-scalar", keys(sources="!!map rows")),
        ("str-of-a-list", keys(name="!!str [a, b]")),
        ("custom", keys(name="!custom small")),
        ("custom-chinese", keys(name="!名字 small")),
        ("env", keys(output="!ENV ${HOME}/build")),
        ("python-object", keys(name='!!python/object/apply:os.system ["touch pwned"]')),
        ("python-name", keys(perturbers="[{use: !!python/name:os.system ''}]")),
        ("python-tuple", keys(exports="!!python/tuple [{use: llamafactory}]")),
        ("unknown-yaml-version", "%YAML 9.9\n---\n" + keys()),
        ("value-sign", keys(seed="=")),
    )
)
NUMBERS = tuple(
    Case(f"number-{name}", "numbers", content, says=("build.yaml", key))
    for name, content, key in (
        ("seed-of-5000-digits", lambda _: keys(seed="7" * BIG), "build.yaml"),
        ("negative-of-5000-digits", lambda _: keys("limits: {max_rows: -" + "9" * BIG + "}\n"), "build.yaml"),
        ("hex-of-5000-digits-as-a-name", lambda _: keys(name="0x" + "f" * BIG), "name"),
        ("hex-of-5000-digits-as-a-language", lambda _: keys("context: {languages: [0x" + "f" * BIG + "]}\n"), ""),
        ("binary-of-20000-digits-as-a-share", lambda _: keys(split="{test: 0b" + "1" * 20000 + "}"), "test"),
        ("sexagesimal-of-5000-digits", lambda _: keys(seed="1" + ":59" * BIG), "build.yaml"),
        ("key-of-5000-digits", lambda _: keys("7" * BIG + ": x\n"), "build.yaml"),
        ("timeout-inf", keys("endpoints: {t: {use: embedded, timeout: .inf}}\n"), "timeout"),
        ("price-inf", keys("endpoints: {t: {use: embedded, price: {input: .inf}}}\n"), "price"),
        ("price-nan", keys("endpoints: {t: {use: embedded, price: {output: .NaN}}}\n"), "price"),
        ("split-nan", keys(split="{validation: .nan}"), "validation"),
        ("failure-rate-nan", keys("limits: {max_failure_rate: .nan}\n"), "max_failure_rate"),
        ("cost-nan", keys("limits: {max_cost: .nan}\n"), "max_cost"),
        ("seed-inf", keys(seed=".inf"), "seed"),
        ("seed-half", keys(seed="1.5"), "seed"),
        ("sexagesimal-seed", keys(seed="1:30"), "seed"),
        ("sexagesimal-timeout", keys("endpoints: {t: {use: embedded, timeout: 2:00}}\n"), "timeout"),
        ("octal-seed", keys(seed="0755"), "seed"),
        ("octal-rows", keys("limits: {max_rows: 010}\n"), "max_rows"),
    )
) + tuple(
    Case(f"number-{name}", "numbers", content, "either")
    for name, content in (
        ("rows-of-30-digits", keys("limits: {max_rows: " + "9" * 30 + "}\n")),
        ("seed-of-400-digits", keys(seed="9" * 400)),
        ("turns-of-30-digits", keys("context: {turns: " + "9" * 30 + "}\n")),
        ("tokens-of-400-digits", keys("context: {max_tokens: " + "9" * 400 + "}\n")),
        ("failure-rate-of-1e-400", keys("limits: {max_failure_rate: 1e-400}\n")),
    )
)
ALIASES = tuple(
    Case(f"alias-{name}", "aliases", content, apart=apart)
    for name, content, apart in (
        ("list-in-itself", keys("judges: &j [*j]\n"), False),
        ("judge-in-itself", keys("judges: [&j {use: panel, members: [*j, *j]}]\n"), False),
        ("top-in-itself", "&top\n" + keys("limits: *top\n"), False),
        ("section-in-itself", keys("context: &语境 {turns: *语境}\n"), False),
        ("merge-of-itself", keys("limits: &l\n  <<: *l\n  max_rows: 3\n"), False),
        ("key-is-itself", keys("limits: &l {? *l : 1}\n"), False),
        ("source-in-its-mapping", keys(sources="[&s {use: files, source: rows, path: rows.jsonl, mapping: *s}]"), False),
        ("unknown", keys("limits: *没有\n"), False),
        ("merge-of-a-number", keys("limits:\n  <<: 5\n"), False),
        ("merge-of-a-list-of-texts", keys("limits:\n  <<: [甲, 乙]\n"), False),
        ("bomb-of-lists", bomb(9) + keys("dedup: {earlier: *a8}\n"), True),
        ("bomb-as-a-name", bomb(9) + keys(name="*a8"), True),
        ("bomb-in-unknown-keys", bomb(12) + keys(), True),
        ("bomb-of-mappings", merge_bomb(9) + keys("endpoints: *m8\n"), True),
        ("bomb-as-roles", merge_bomb(8) + keys(sources="[{use: files, source: jia, path: rows.jsonl, mapping: *m7}]"), True),
        ("bomb-of-sources", lambda _: bomb(7) + keys(sources="*a6"), True),
        ("bomb-as-a-use", bomb(9) + keys(perturbers="[{use: *a8}]"), True),
    )
)  # fmt: skip
DEPTH = tuple(
    Case(f"deep-{name}", "depth", content, apart=True)
    for name, content in (
        ("300-brackets", lambda _: keys("judges: " + "[" * 300 + "]" * 300 + "\n")),
        ("5000-brackets", lambda _: keys("judges: " + "[" * 5000 + "]" * 5000 + "\n")),
        ("5000-open-brackets", lambda _: keys("judges: " + "[" * 5000)),
        ("1000-braces", lambda _: keys("limits: " + "{甲: " * 1000 + "1" + "}" * 1000 + "\n")),
        ("100000-brackets", lambda _: "[" * 100_000),
        ("1000-dashes", lambda _: keys("judges:\n  " + "- " * 1000 + "x\n")),
        ("400-indented-keys", lambda _: keys("limits:\n" + "".join(" " * n + "k:\n" for n in range(1, 400)))),
        ("200-panels", lambda _: keys("judges: [" + "{use: panel, members: [" * 200 + "]}" * 200 + "]\n")),
    )
)
CHARACTERS = tuple(
    Case(f"characters-{name}", "characters", content, expected, says=("build.yaml",), command=command)
    for name, content, expected, command in (
        ("nul-in-the-name", keys(name='"sm\\0all"'), "config error", "check"),
        ("nul-in-the-output", keys(output='"bu\\0ild"'), "config error", "check"),
        ("nul-in-the-ledger", keys(ledger='"led\\0ger.sqlite"'), "config error", "check"),
        ("nul-in-the-file", keys().replace("small", "sm\0all"), "config error", "check"),
        ("bell-in-the-file", keys("# \x07\n"), "config error", "check"),
        ("escape-in-the-name", keys(name='"\\e[31m红色"'), "config error", "check"),
        ("escape-in-the-output", keys(output='"\\e[2J构建"'), "config error", "check"),
        ("newline-in-the-output", keys(output='"bu\\nild"'), "config error", "check"),
        ("newline-in-the-name", keys(name='"small\\n"'), "config error", "check"),
        ("escape-in-a-key", keys('"\\e]0;title\\a": 1\n'), "config error", "check"),
        ("escape-in-a-use", keys(perturbers='[{use: "\\e[31mred"}]'), "config error", "check"),
        ("carriage-return-in-a-use", keys(exports='[{use: "trl\\rerror: 没事"}]'), "config error", "check"),
        ("override-in-a-key", keys('"\\u202Eeman": 1\n'), "config error", "check"),
        ("surrogate-name", keys(name='"\\ud800"'), "config error", "check"),
        ("surrogate-output", keys(output='"构建\\udfff"'), "config error", "check"),
        ("surrogate-key", keys('"\\ud800": 1\n'), "config error", "check"),
        ("surrogate-source", keys(sources='[{use: files, source: "a\\udc80", path: rows.jsonl}]'), "config error", "check"),
        ("surrogate-use", keys(exports='[{use: "\\udc80:B"}]'), "config error", "check"),
        ("surrogate-endpoint", keys('endpoints: {"\\ud83d": {use: embedded}}\n'), "config error", "check"),
        ("surrogate-licence", keys(sources='[{use: files, source: a, path: rows.jsonl, licence: "\\ud800"}]'), "config error", "build"),
    )
) + tuple(
    Case(f"characters-{name}", "characters", content, "refused", says=(key,), command="build")
    for name, content, key in (
        ("nul-in-a-path", keys(sources='[{use: files, source: jia, path: "rows\\0.jsonl"}]'), "path"),
        ("escape-in-a-path", keys(sources='[{use: files, source: a, path: "\\e[31m行.jsonl"}]'), ""),
        ("surrogate-in-a-path", keys(sources='[{use: files, source: a, path: "\\ud800.jsonl"}]'), ""),
    )
)  # fmt: skip
YAML_CASES = (*TWICE, *DATES, *TAGS, *NUMBERS, *ALIASES, *DEPTH, *CHARACTERS)
