# Two commands matter: `make demo` and `make test`. Both set up what they need in .venv on the first call.
PYTHON ?= python3
DEMO := .venv/.demo-ready
FULL := .venv/.test-ready
LINK := .venv/.linked
FOLDERS := core pipelines judges perturbers exports evaluation training_recipes
UV := .venv/bin/uv pip install --quiet

.PHONY: demo test lint docs-check clean

demo: $(DEMO) $(LINK)
	.venv/bin/pairwright build examples/demo.yaml

test: $(FULL) $(LINK) lint
	.venv/bin/python -m pytest -q

lint: $(FULL) $(LINK)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

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
$(LINK): $(FOLDERS) | .venv/bin/uv
	$(UV) --no-deps --editable .
	touch $@

clean:
	rm -rf .venv build dist builds *.egg-info
