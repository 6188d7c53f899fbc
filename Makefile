# make demo   set up, then run the main job: a model teaches itself to add numbers longer than any it was taught
# make bench  install the peers beside us, then measure sampling, training and a GRPO step against theirs
# make peers  the same peers' venv: our search beside OpenEvolve and GEPA, from the results that are not there yet
# make test   set up, then lint, types, import contract and the test suite; as root it installs bubblewrap if need be
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo bench peers test setup lint jail clean

demo: setup
	$(BIN)/autotroph run length_generalisation

bench: .venv-bench/.ready
	for name in limits rollouts train grpo scale verify; do .venv-bench/bin/autotroph bench $$name --out bench/results/$$name.json; done

peers: .venv-bench/.ready
	.venv-bench/bin/python bench/peers_evolve.py run
	.venv-bench/bin/python bench/peers_evolve.py page

.venv-bench/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	.venv-bench/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@touch $@

test: setup lint jail
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --dist loadfile

lint: setup
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

jail:
	@command -v bwrap >/dev/null || if [ "$$(id -u)" = 0 ]; then apt-get update -qq && apt-get install -qq -y bubblewrap; else \
	  echo "no bubblewrap: tests of the jail for model-written code are skipped; install it: sudo apt-get install bubblewrap"; fi

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

clean:
	rm -rf .venv .venv-bench runs build
