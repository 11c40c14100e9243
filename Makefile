# `make demo`, `make train-demo` and `make test` set up what they need in .venv on the first call.
PYTHON ?= python3
DEMO := .venv/.demo-ready
FULL := .venv/.test-ready
LINK := .venv/.linked
STUDENT := builds/smollm2-135m
ROOMS := cli core pipelines judges perturbers exports evaluation training_recipes testing
# --python: without it uv installs into whichever environment is active.
UV := .venv/bin/uv pip install --quiet --python .venv/bin/python

.PHONY: demo train-demo test check fast lint format golden docs-check wheels licences dist clean

demo: $(DEMO) $(LINK)
	.venv/bin/pairwright build examples/demo.yaml

# Given again after a kill, it goes on where it was.
train-demo: $(FULL) $(LINK)
	.venv/bin/pairwright build examples/train_demo.yaml
	.venv/bin/python -m pairwright.cli.save_student $(STUDENT)
	.venv/bin/pairwright train smollm2-135m.chain builds/train-demo --model $(STUDENT) --output runs/train-demo --set evaluate.answer_tokens=64

# Two at a time, the tests of one file in one process: they share what they have set up.
test: $(FULL) $(LINK) lint
	.venv/bin/python -m pytest -q -n 2 --dist loadfile

lint: $(FULL) $(LINK)
	.venv/bin/ruff check .
	.venv/bin/lint-imports --no-logo
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# Line breaks and the order of imports, as `make lint` wants them.
format: $(FULL)
	.venv/bin/ruff check --quiet --fix-only --select I .
	.venv/bin/ruff format .

# Everything that is quick, side by side: lint, types, and the tests that are not marked as slow.
check: $(FULL) $(LINK)
	$(MAKE) --no-print-directory --jobs=2 --output-sync lint fast

fast: $(FULL) $(LINK)
	.venv/bin/python -m pytest -q -n 2 -m "not slow" tests/unit tests/golden tests/packaging

# Prints the golden files anew. Read every line that changes: `git diff tests/golden`.
golden: $(FULL) $(LINK)
	.venv/bin/python -m pytest -q --update-golden tests/golden/test_perturber_cases.py tests/unit/core/prompts tests/unit/judges
	git --no-pager diff --stat tests/golden

# Does every extra resolve to wheels on every Python that we name? Asks the package registry and installs nothing.
wheels: $(FULL)
	.venv/bin/python benchmarks/wheels.py

# The licence of every package that an installation brings, from what the packages say of themselves.
licences: $(FULL)
	.venv/bin/python benchmarks/supply_chain/licences.py

# A source archive, the wheel that is built from it, and what the registry would say of both.
dist: .venv/bin/uv
	rm -rf dist
	.venv/bin/uv build --quiet --out-dir dist
	.venv/bin/uv tool run --quiet twine check --strict dist/*

docs-check: $(FULL) $(LINK)
	.venv/bin/python -m pytest -q tests/packaging/test_docs.py

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The demo runs on the light environment: no torch, no transformers. A full environment serves it as well.
$(DEMO): .venv/bin/uv pyproject.toml constraints.txt
	test -e $(FULL) || $(UV) --constraint constraints.txt --editable '.[audit,embedded,en,zh]'
	touch $@ $(LINK)

$(FULL): .venv/bin/uv pyproject.toml constraints-train.txt
	$(UV) --constraint constraints-train.txt --editable '.[audit,embedded,embeddings,en,evaluate,train,zh]' --group dev
	touch $@ $(DEMO) $(LINK)

# The editable install is a tree of links: a new module is seen after linking again.
$(LINK): __init__.py $(shell find $(ROOMS) -type d -not -name __pycache__) | .venv/bin/uv
	$(UV) --no-deps --editable .
	touch $@

clean:
	rm -rf .venv build dist builds *.egg-info
