# posecam: the commands people type. `make help` lists them; the build itself is CMake (CMakePresets.json).
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

RELEASE := build/release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: help setup setup-develop build configure-all build-all test check-elements demo bench attack fuzz format tidy install clean distclean

help: ## Lists these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 23

setup: ## Installs what building and running lacks: Debian packages, OpenVINO
	@bash scripts/setup.sh

setup-develop: ## Installs what tests, fuzzing and clang-tidy lack as well
	@bash scripts/setup.sh develop

# A first build leaves the tests out: they need packages of their own.
$(RELEASE)/build.ninja: CMakePresets.json $(wildcard build/deps/openvino.stamp)
	cmake --preset release $(if $(wildcard $(RELEASE)/CMakeCache.txt),,-D POSECAM_TESTS=OFF)
	@touch $@

build: setup ## Builds Release: build/bin/posecam and build/lib/gstreamer-1.0/libgstneuron.so
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja
	@cmake --build $(RELEASE) -j $(JOBS) --target programs
	@mkdir -p build/bin
	@ln -sfn ../release/bin/posecam build/bin/posecam
	@ln -sfn release/lib build/lib

configure-all: setup-develop
	@grep -qs '^POSECAM_TESTS:BOOL=ON' $(RELEASE)/CMakeCache.txt || cmake --preset release -D POSECAM_TESTS=ON
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja

build-all: configure-all build ## Builds tests and benchmarks as well
	@cmake --build $(RELEASE) -j $(JOBS)

test: build-all ## Builds and runs every test
	@ctest --test-dir $(RELEASE) -j $(JOBS) --output-on-failure --no-tests=error --no-label-summary

check-elements: build-all ## Runs the element tests under valgrind and the leaks tracer, and those of seeks 200 times
	@bash scripts/element_checks.sh $(RELEASE)

demo: build ## Runs posecam on a clip and says where the results are
	@bash scripts/demo.sh $(CLIP)

bench: build-all ## Runs the benchmarks
	@bash scripts/bench.sh

attack: build ## Attacks the program with what strangers may do, for MINUTES=30: damaged clips, full disks, kills, other users
	@bash scripts/attack.sh $(RELEASE)

fuzz: setup-develop ## Feeds the parsers, decoders and elements what nobody would: SECONDS_EACH=20 a target
	@bash scripts/fuzz.sh

format: setup-develop ## Formats the sources with clang-format
	@bash scripts/format.sh

tidy: configure-all ## Runs clang-tidy on every source file
	@bash scripts/tidy.sh

install: build ## Installs below PREFIX (/usr/local)
	cmake --install $(RELEASE) --prefix $(PREFIX)

clean: ## Removes what was built, keeps what setup fetched
	rm -rf $(filter-out build/deps,$(wildcard build/*))

distclean: ## Removes the whole build folder
	rm -rf build
