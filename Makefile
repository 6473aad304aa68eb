# Each target does its own set-up: Python 3.11+, Node 20+ and make are all that must be there.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never
export SAM_CLI_TELEMETRY := 0

uv := .tools/uv/bin/uv
sync = $(uv) venv --quiet --clear --python $(PYTHON) $(1) && $(uv) pip sync --quiet --python $(1) --require-hashes $(2)
# Where the commands of requirements are kept; a tool of its own each, since their requirements contradict each other.
tools := .tools/sam/.ready .tools/ministack/.ready .tools/runtime/.ready
setup := .venv/.ready $(tools)
bench := .tools/bench/.ready

# A deployment is built for this machine's interpreter and processor; the layer's Makefile goes by the same two.
cloud = PATH="$(CURDIR)/.tools/uv/bin:$$PATH"
parameters = PythonRuntime=python$(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])') \
  Architecture=$(subst aarch64,arm64,$(shell uname -m))

.PHONY: help run blur test lint format bench-detect bench-blur bench-strength deploy clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 16

run: $(setup) ## deploy into the embedded AWS on this machine and serve until Ctrl-C
	.venv/bin/faceblur up

blur: $(setup) ## hide the faces in PHOTO=…
	.venv/bin/faceblur blur $(PHOTO)

test: $(setup) ## the whole suite
	.venv/bin/python -m pytest

lint: $(setup) ## formatting, style, types, templates
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/cfn-lint template.yaml
	.tools/sam/bin/sam validate --config-env local --lint

format: $(setup) ## put the sources into shape
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

bench-detect: $(bench) ## recall, false alarms, time and memory of the detector, beside others
bench-blur: $(bench) ## time, memory and faithfulness of hiding, beside others
bench-strength: $(bench) ## how many hidden faces are still detected, beside others
bench-detect bench-blur bench-strength: bench-%:
	PYTHONPATH=functions:tests .tools/bench/bin/python benchmarks/$*.py

deploy: $(setup) ## build and deploy into the cloud account of your AWS credentials
	$(cloud) .tools/sam/bin/sam build --parameter-overrides $(parameters)
	$(cloud) .tools/sam/bin/sam deploy --guided --parameter-overrides $(parameters)

clean: ## remove everything that these targets made
	-test ! -x .venv/bin/faceblur || .venv/bin/faceblur down
	rm -rf .venv .tools .faceblur .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis cli/*.egg-info

.venv/.ready: requirements/dev.txt pyproject.toml | $(uv)
	$(call sync,.venv,requirements/dev.txt)
	$(uv) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.tools/%/.ready: requirements/%.txt | $(uv)
	$(call sync,.tools/$*,$<)
	@touch $@

$(uv): requirements/uv.txt
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
