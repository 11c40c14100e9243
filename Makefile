# Two commands matter: `make demo` and `make test`. Both set up what they need in .venv on the first call.
PYTHON ?= python3
DEMO := .venv/.demo-ready
FULL := .venv/.test-ready
RUN := .venv/bin/python -m pairwright.pipelines.cli

.PHONY: demo test lint docs-check clean

demo: $(DEMO)
	.venv/bin/pairwright build examples/demo.yaml

test: $(FULL) lint
	.venv/bin/python -m pytest -q

lint: $(FULL)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

docs-check: $(FULL)
	.venv/bin/python -m pytest -q tests/packaging

.venv/bin/uv:
	$(PYTHON) -m venv .venv
	.venv/bin/python -m pip install --quiet --disable-pip-version-check uv

# The demo runs on the light environment: no torch, no transformers. A full environment serves it as well.
$(DEMO): .venv/bin/uv pyproject.toml constraints.txt
	test -e $(FULL) || .venv/bin/uv pip install --quiet --constraint constraints.txt --editable '.[audit,embedded,en,zh]'
	touch $@

$(FULL): .venv/bin/uv pyproject.toml constraints-train.txt
	.venv/bin/uv pip install --quiet --constraint constraints-train.txt --editable '.[audit,embedded,en,zh,evaluate,train]' --group dev
	touch $@ $(DEMO)

clean:
	rm -rf .venv build dist builds *.egg-info
