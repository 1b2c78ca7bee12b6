# Two commands on a fresh machine: `make convert` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SOURCES := $(shell find converters lenet_edge -type f -not -path '*/__pycache__/*') pyproject.toml README.md

# Processes of `make test`; each loads TensorFlow, 1 GB. A file's tests stay together, with what they set up; the files
# come in the order of tests/conftest.py, not those of many tests first.
JOBS ?= 2

# What the Android library answers here, once `make android-test` has run.
ANSWERS := android_demo/build/answers.json

# What LiteRT.js answers in Chromium, once `make web-test` has run: test digits, and what the page saves.
WEB_ANSWERS := web_demo/generated/answers.json
WEB_SAVED := web_demo/generated/saved.json

.PHONY: help convert test lint format wheel release release-check mutants parity results tables bench bench-peers pi-test android-test maven-test apk web web-packages web-test bulk-test opencv5-test docs train clean

help:
	@echo 'To use it'
	@echo '  make convert       write and check every .tflite (build/tflite)'
	@echo '  make bench         time the released models, and where the time goes'
	@echo 'To work on it'
	@echo '  make test          run the tests against the built wheel (ARGS=... for pytest, JOBS=1: in one process)'
	@echo '  make lint          ruff (lint and format), mypy, and the import rules of pyproject.toml'
	@echo '  make format        let ruff put the files in shape'
	@echo '  make wheel         build dist/*.whl'
	@echo '  make release       what a release hands out, with SHA256SUMS, into build/release (RELEASING.md)'
	@echo '  make release-check the same, built twice: are the bytes the same?'
	@echo '  make docs          build the documentation site (build/site; Python 3.11 or newer, 0.2 GB into .venv-docs)'
	@echo '  make clean         remove what was built'
	@echo 'To prove it'
	@echo '  make parity        every file in every runtime beside the original (build/parity.html)'
	@echo '  make pi-test       the wheel on an emulated Raspberry Pi (needs qemu-user-static)'
	@echo '  make mutants       plant faults in copies of the package: do the tests find each? (results/mutants.json)'
	@echo '  make opencv5-test  the picture stage with OpenCV 5 and NumPy 2 (0.5 GB into .venv-opencv5)'
	@echo 'To measure it anew'
	@echo '  make results       parity, speed and strings into results/, every table from it (an hour)'
	@echo '  make tables        the tables of README.md and docs from the measured files'
	@echo '  make bench-peers   beside ONNX Runtime and ExecuTorch (installs 6 GB into .venv-peers)'
	@echo '  make bulk-test     lenet-edge bulk on Ray and Spark, processes and a node killed (installs 1 GB into .venv-bulk; Spark needs Java)'
	@echo '  make train         train the released weights anew (hours; DATA=folder with MNIST)'
	@echo 'For Android'
	@echo '  make android-test  the demo, compiled and tested by Maven; its answers held against the original'
	@echo '  make apk           a signed debug APK for each processor (android_demo/build/apk)'
	@echo 'For the browser'
	@echo '  make web           the page: web_demo/dist for any web server, web_demo/lenet-edge.html as one file (needs Node.js)'
	@echo '  make web-test      its tests, in Debian'"'"'s Chromium too'
	@echo
	@echo 'PYTHON=python3.12 chooses the Python (3.10 to 3.13) that .venv is made with'

convert: $(VENV)/installed
	$(BIN)/lenet-edge convert
	@echo 'next: $(BIN)/lenet-edge classify tests/data/*.png'

test: $(VENV)/installed
	cd tests && ../$(BIN)/pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(ARGS)

mutants: $(VENV)/installed
	$(BIN)/python scripts/mutants.py --jobs $(JOBS) $(ARGS)

lint: $(VENV)/tools
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/tools
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

wheel: $(VENV)/wheel

release: $(VENV)/installed
	$(BIN)/python scripts/artefacts $(ARGS)

release-check: release
	$(BIN)/python scripts/artefacts --check $(ARGS)

parity: $(VENV)/installed
	mkdir -p build
	$(BIN)/lenet-edge parity --layers --json build/parity.json --html build/parity.html

results: $(VENV)/installed
	mkdir -p build
	$(BIN)/lenet-edge parity --layers $(addprefix --import ,$(wildcard $(ANSWERS) $(WEB_ANSWERS))) --json results/parity.json --html build/parity.html
	$(BIN)/python scripts/golden.py
	$(BIN)/python scripts/delegates.py
	$(BIN)/python scripts/micro.py
	$(BIN)/python scripts/speed.py
	$(BIN)/python scripts/strings.py
	$(BIN)/python scripts/strings_cost.py
	$(BIN)/python scripts/readme.py

tables:
	$(PYTHON) scripts/readme.py

bench: $(VENV)/installed
	mkdir -p build
	$(BIN)/lenet-edge benchmark float32 int8_qat stock_lenet5_float32.tflite stock_lenet5_int8.tflite --runtime all --profile --json build/benchmark.json --png build/benchmark.png

BULK := .venv-bulk
bulk-test: $(VENV)/wheel
	test -x $(BULK)/bin/python || $(PYTHON) -m venv $(BULK)
	$(BULK)/bin/pip install --quiet './$(firstword $(wildcard dist/*.whl))[ray,litert]' 'ray[tune]' pyspark pytest hypothesis psutil -c constraints.txt
	$(BULK)/bin/pip install --quiet --force-reinstall --no-deps dist/*.whl
	cd tests && ../$(BULK)/bin/python -m pytest bulk $(ARGS)

OPENCV5 := .venv-opencv5
opencv5-test: $(VENV)/wheel
	test -x $(OPENCV5)/bin/python || $(PYTHON) -m venv $(OPENCV5)
	$(OPENCV5)/bin/pip install --quiet --disable-pip-version-check './$(firstword $(wildcard dist/*.whl))[litert,plot]' -r scripts/opencv5.txt
	$(OPENCV5)/bin/pip install --quiet --force-reinstall --no-deps dist/*.whl
	cd tests && ../$(OPENCV5)/bin/python -m pytest -q lenet_edge/picture lenet_edge/test_classify.py $(ARGS)

DOCS := .venv-docs
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11) and 'expected Python 3.11 or newer for make docs, got %d.%d: make docs PYTHON=python3.12' % sys.version_info[:2])
docs:
	@$(PYTHON) -c "$(NEW_ENOUGH)"
	test -x $(DOCS)/bin/python || $(PYTHON) -m venv $(DOCS)
	$(DOCS)/bin/pip install --quiet --disable-pip-version-check -r scripts/docs_site/requirements.txt
	$(DOCS)/bin/python scripts/docs_site

PEERS := .venv-peers
bench-peers: $(VENV)/wheel
	test -x $(PEERS)/bin/python || $(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet -r scripts/peers.txt
	$(PEERS)/bin/pip install --quiet --force-reinstall --no-deps dist/*.whl
	$(PEERS)/bin/python scripts/bench_peers.py build/peers
	$(PEERS)/bin/lenet-edge benchmark float32 stock_lenet5_float32.tflite --runtime litert --peers build/peers --json build/benchmark_peers.json --png build/benchmark_peers.png

pi-test: $(VENV)/installed
	mkdir -p build
	$(BIN)/python scripts/pi --json build/pi.json $(ARGS) dist/*.whl

# What needs no environment of Python comes first, so that CI does it beside the making of one.
android-test: maven-test $(VENV)/installed
	$(BIN)/lenet-edge parity --import $(ANSWERS) --only-imports

maven-test:
	android_demo/tools/maven.sh verify

apk:
	android_demo/tools/maven.sh package -Dmaven.test.skip=true
	$(PYTHON) android_demo/tools/apk $(ARGS)

# The nets that the page looks into, and the string reader: LiteRT.js needs files of their own.
WEB_MODELS := $(addprefix --model ,lenet5 stock_lenet5 lenet5_wide)
web: web-packages $(VENV)/installed
	$(BIN)/lenet-edge convert --target web --no-check $(WEB_MODELS) --out build/web
	web_demo/tools/npm.sh run build

web-packages:
	web_demo/tools/npm.sh --version

web-test: web
	web_demo/tools/npm.sh test
	$(BIN)/lenet-edge parity --import $(WEB_ANSWERS) --import $(WEB_SAVED) --only-imports

train: $(VENV)/installed
	BIN='$(abspath $(BIN))' DATA='$(DATA)' sh scripts/train_released.sh

clean:
	rm -rf $(VENV) $(VENV).lock .venv-node $(BULK) $(OPENCV5) $(DOCS) .cache build dist *.egg-info android_demo/build android_demo/target android_demo/*/target web_demo/dist web_demo/generated web_demo/lenet-edge.html web_demo/node_modules

# Each stamp is written last, so that an interrupted step is done again.
MAKE_VENV := sh scripts/with_python.sh $(PYTHON) scripts/make_venv.py

$(VENV)/tools: constraints.txt pyproject.toml scripts/make_venv.py scripts/requirements.py
	$(MAKE_VENV) tools $(VENV)

$(VENV)/wheel: $(VENV)/tools $(SOURCES)
	$(MAKE_VENV) wheel $(VENV)

$(VENV)/installed: $(VENV)/wheel
	$(MAKE_VENV) installed $(VENV)
