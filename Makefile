# posecam: the commands people type. `make help` lists them; the build itself is CMake (CMakePresets.json).
SHELL := /bin/bash
.DEFAULT_GOAL := help
.NOTPARALLEL:

RELEASE := build/release
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)

.PHONY: help setup build test check-elements demo bench fuzz format tidy install clean distclean

help: ## Lists these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 18

setup: ## Installs what is missing: Debian packages, OpenVINO, Python packages for tests
	@bash scripts/setup.sh

$(RELEASE)/build.ninja: CMakePresets.json $(wildcard build/deps/openvino.stamp)
	cmake --preset release
	@touch $@

build: setup ## Builds Release: build/bin/posecam and build/lib/gstreamer-1.0/libgstneuron.so
	@$(MAKE) --no-print-directory $(RELEASE)/build.ninja
	@cmake --build $(RELEASE) -j $(JOBS)
	@mkdir -p build/bin build/lib/gstreamer-1.0
	@ln -sfn ../release/bin/posecam build/bin/posecam
	@ln -sfn ../../release/lib/gstreamer-1.0/libgstneuron.so build/lib/gstreamer-1.0/libgstneuron.so

test: build ## Builds and runs every test
	@ctest --test-dir $(RELEASE) -j $(JOBS) --output-on-failure --no-tests=error --no-label-summary

check-elements: build ## Runs the element tests under valgrind and the leaks tracer, and those of seeks 200 times
	@bash scripts/element_checks.sh $(RELEASE)

demo: build ## Runs posecam on a clip and says where the results are
	@bash scripts/demo.sh $(CLIP)

bench: build ## Runs the benchmarks
	@bash scripts/bench.sh

fuzz: setup ## Feeds the parsers, decoders and elements what nobody would: SECONDS_EACH=20 a target
	@bash scripts/fuzz.sh

format: setup ## Formats the sources with clang-format
	@bash scripts/format.sh

tidy: build ## Runs clang-tidy on every source file
	@bash scripts/tidy.sh

install: build ## Installs below PREFIX (/usr/local)
	cmake --install $(RELEASE) --prefix $(PREFIX)

clean: ## Removes what was built, keeps what setup fetched
	rm -rf $(filter-out build/deps,$(wildcard build/*))

distclean: ## Removes the whole build folder
	rm -rf build
