"""Cut the English samples and the raw dialogues of `examples/data/` from the public data sets.

    python benchmarks/examples_data.py FOLDER [--out examples/data]

FOLDER holds `cast19.jsonl`, `ikat23.jsonl`, `gecor.train.jsonl` (one rewriting row a line) and `crosswoz.val.jsonl`,
`kdconv.dev.jsonl` (one dialogue a line). The dialogues were chosen by reading them and are named below; the rows of a
chosen dialogue stay together, and no text is corrected. `zh_gold.jsonl` is written by hand: it is only read here, so
that none of its dialogues is shown again as a raw one.

The other benchmarks look here for the rewrites that people wrote: a folder of whole data sets has the first name of each of
``SETS``, ``examples/data`` samples of four of them. Each line is one JSON object, as ``examples/data/README.md`` describes it.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

Row = dict[str, Any]

EXAMPLES = Path(__file__).resolve().parents[1] / "examples" / "data"
SETS: Mapping[str, tuple[str, ...]] = {
    "cast19": ("cast19.jsonl", "cast19.en.jsonl"),
    "ikat23": ("ikat23.jsonl", "ikat23.en.jsonl"),
    "gecor": ("gecor.train.jsonl", "gecor.en.jsonl"),
    "canard": ("canard.dev.jsonl",),
    "followup": ("followup.train.jsonl",),
    "zh_gold": ("zh_gold.jsonl",),
}
NAMES = ", ".join(name for names in SETS.values() for name in names)

MAX_REWRITE_WORDS = 60
RAW_DIALOGUES = 20

CAST = [f"cast19-{n}" for n in (31, 36, 38, 40, 42, 52, 54, 56, 60, 62, 64, 68, 72, 76, 80)] + ["cast19tr-2"]
IKAT = ["ikat23train-5-1", "ikat23train-7-1"] + [
    f"ikat23test-{n}" for n in ("9-1", "9-2", "10-2", "12-2", "13-1", "14-1", "16-2", "17-3", "18-1", "20-2")
]
GECOR = [
    f"gecor-{n}"
    for n in (
        *(0, 14, 21, 28, 42, 77, 98, 119, 126, 133, 140, 182, 189, 196, 203, 210, 217, 238, 252, 259, 280),
        *(287, 308, 329, 343, 350, 371, 378, 385, 406, 413, 420, 434, 448, 490, 497, 504, 518, 532),
    )
]
# Labelled complete by the source although they lean on the dialogue: left out, not mended.
BROKEN = {"gecor-238_2", "gecor-518_5"}


def main() -> None:
    """Write the five derived files and print what is in each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, default=Path("examples/data"))
    args = parser.parse_args()
    data, out = args.folder, args.out

    ikat = list(read(data / "ikat23.jsonl"))
    write(out / "cast19.en.jsonl", pick(read(data / "cast19.jsonl"), "cast19", CAST))
    write(out / "ikat23.en.jsonl", pick((row for row in ikat if not leans_on_persona(row)), "ikat23", IKAT))
    write(out / "gecor.en.jsonl", pick(really_said(read(data / "gecor.train.jsonl")), "gecor", GECOR))
    write(out / "dialogues.en.jsonl", english_dialogues(ikat))
    used = {row["meta"]["dialogue"] for row in read(out / "zh_gold.jsonl")}
    write(out / "dialogues.zh.jsonl", chinese_dialogues(data, used))


def read(path: Path) -> Iterator[Row]:
    """Yield the JSON objects of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write rows as unescaped JSONL and print the file's counts."""
    kept = list(rows)
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept), encoding="utf-8")
    copies = sum(not row["meta"]["needs_rewrite"] for row in kept if "meta" in row)
    print(f"{path.name}: {len(kept)} rows, {copies} need no rewrite, {path.stat().st_size / 1000:.0f} kB")


def pick(rows: Iterable[Row], source: str, dialogues: list[str]) -> Iterator[Row]:
    """Yield the usable rows of the named dialogues, with their origin in `meta` and nothing of the persona."""
    for row in rows:
        dialogue, labels = dialogue_of(row), row["meta"]
        if dialogue in dialogues and usable(row):
            meta = {
                "source": source,
                "dialogue": dialogue,
                "turn": len(row["history"]),
                "needs_rewrite": row["query"] != row["rewrite"],
            }
            meta |= {key: labels[key] for key in ("title", "kind", "original") if key in labels}
            yield {**row, "meta": meta}


def usable(row: Row) -> bool:
    """Tell whether the gold is there, short, and either a copy or a change of words, not of spelling alone."""
    query, rewrite = row["query"], row["rewrite"]
    respelt = query != rewrite and normal(query) == normal(rewrite)
    return row["id"] not in BROKEN and not respelt and 0 < len(rewrite.split()) <= MAX_REWRITE_WORDS


def dialogue_of(row: Row) -> str:
    """Return the id of the dialogue that a rewriting row was cut from."""
    return str(row["id"]).rpartition("_")[0]


def leans_on_persona(row: Row) -> bool:
    """Tell whether the gold rewrite needs iKAT's persona: marked so, or it uses a persona word the dialogue lacks."""
    said = words(row["query"], *(turn["content"] for turn in row["history"]))
    return bool(row["meta"]["ptkb_used"] or (words(row["rewrite"]) - said) & words(*row["meta"]["ptkb"]))


def really_said(rows: Iterable[Row]) -> Iterator[Row]:
    """Keep the utterances really said, each once in its dialogue, without the thanks and goodbyes.

    GECOR's "none" rows whose rewrite still differs are spelling corrections: they are left out as well.
    """
    seen: set[tuple[str, str]] = set()
    for row in rows:
        query, complete = normal(row["query"]), row["meta"]["kind"] == "none"
        respelt = complete and query != normal(row["rewrite"])
        closing = complete and re.search(r"\b(bye|goodbye|thanks?)\b", query)
        if row["meta"]["original"] and not respelt and not closing and (dialogue_of(row), query) not in seen:
            seen.add((dialogue_of(row), query))
            yield row


def english_dialogues(ikat: list[Row]) -> Iterator[Row]:
    """Rebuild the shortest iKAT dialogues that no rewriting row was taken from: the last history plus its query."""
    last = {dialogue_of(row): row for row in ikat}
    whole = [
        {
            "id": name,
            "conversation": [*row["history"], {"role": "user", "content": row["query"]}],
            "metadata": {"lang": "en", "source": "ikat23", "title": row["meta"]["title"], "license": "MIT"},
        }
        for name, row in last.items()
        if name not in IKAT
    ]
    yield from sorted(sorted(whole, key=size)[:RAW_DIALOGUES], key=lambda row: str(row["id"]))


def chinese_dialogues(data: Path, used: set[str]) -> Iterator[Row]:
    """Take every 37th dialogue that the gold leaves free, ten from each source, without its annotations."""
    for source, file in (("crosswoz", "crosswoz.val.jsonl"), ("kdconv", "kdconv.dev.jsonl")):
        free = [row for row in read(data / file) if row["id"] not in used]
        for row in free[::37][: RAW_DIALOGUES // 2]:
            turns = [{"role": turn["role"], "content": turn["content"]} for turn in row["conversation"]]
            metadata = {"lang": "zh", "source": source, "domain": row["metadata"]["domain"], "license": "Apache-2.0"}
            yield {"id": row["id"], "conversation": turns, "metadata": metadata}


def size(dialogue: Row) -> int:
    """Count the characters of a raw dialogue."""
    return sum(len(turn["content"]) for turn in dialogue["conversation"])


def normal(text: str) -> str:
    """Fold case, punctuation and spaces, so that only a change of words counts as a rewrite."""
    return " ".join(re.findall(r"\w+", text.lower()))


def words(*texts: str) -> set[str]:
    """Return the words of four letters and more."""
    return {word for text in texts for word in normal(text).split() if len(word) > 3}


def gold_files(folders: Sequence[Path], only: str | None = None) -> dict[str, Path]:
    """The file of each set, from the first folder that has one; ``only`` that set's. Without any the process ends."""
    wanted = {name: files for name, files in SETS.items() if only in (None, name)}
    found = {}
    for name, files in wanted.items():
        paths = [path for folder in folders for file in files if (path := folder / file).is_file()]
        if paths:
            found[name] = paths[0]
    if not found:
        sys.exit(f"none of {NAMES} in {', '.join(map(str, folders))}")
    return found


if __name__ == "__main__":
    main()
