# Everything that is done often. `make demo` and `make test` need nothing but Debian, Rust and a way to be root.

CARGO ?= cargo

.PHONY: help demo test test-full test-debusine chain chaos bench bench-debusine packages tools

help:
	@echo 'make demo       install what is missing, build, and run real tasks'
	@echo 'make test       format, lints, build, tests, documentation, licences'
	@echo 'make test-full  the same with the long chains, then demo and chaos'
	@echo 'make test-debusine  our worker and the stock one on a stock Debusine server, in full; half an hour'
	@echo 'make chain      a package from its source to an upload, built and checked in a real system; ten minutes'
	@echo 'make chaos      kills and pauses at random, over thousands of requests; SEED=… for the same again'
	@echo 'make packages   Debian packages, in target/packages'
	@echo 'make bench      benchmark programs: ratios measured in one run'
	@echo 'make bench-debusine  our worker and the stock one on fresh Debusine servers: ratios; twenty minutes'

# The Debian tools that the tasks call, and that the tests build packages with.
tools:
	@scripts/need-rust
	@scripts/install-tools

# cargo-deb, of this project's own where there is none: quickly built, since it packs little.
CARGO_DEB_VERSION = 3.8.0
export PATH := $(CURDIR)/target/tools/bin:$(PATH)

.PHONY: cargo-deb
cargo-deb:
	@$(CARGO) deb --version >/dev/null 2>&1 || \
	    env -u CARGO_TARGET_DIR CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
	    $(CARGO) install --quiet --locked --root target/tools cargo-deb --version $(CARGO_DEB_VERSION)

demo: tools
	@scripts/demo

test: tools cargo-deb
	$(CARGO) fmt --all --check
	$(CARGO) fmt --manifest-path python/Cargo.toml --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings
	umask 022 && $(CARGO) build --locked --workspace
	umask 022 && $(CARGO) test --locked --workspace --no-fail-fast
	RUSTDOCFLAGS='-D warnings' $(CARGO) doc --locked --workspace --no-deps --quiet
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny check; else echo 'skipped: cargo-deny is not installed'; fi

test-full: export TASKBAY_TEST_FULL = 1
test-full: test lint-python demo chaos

# The Python module is apart from the workspace, and so are its lints.
.PHONY: lint-python
lint-python:
	CARGO_TARGET_DIR=target/python/build $(CARGO) clippy --locked --manifest-path python/Cargo.toml -- -D warnings

# The package hello through the tasks that lead to an upload, as requests that a worker executes. It takes minutes and fetches from a mirror.
chain: export TASKBAY_TEST_FULL = 1
chain: tools
	umask 022 && $(CARGO) test --locked --quiet --workspace --test chain

# Our worker beside Debusine's own, on a stock server that stands in a system of its own: target/debusine, made once.
test-debusine: export TASKBAY_TEST_FULL = 1
test-debusine: tools
	umask 022 && $(CARGO) build --locked --workspace
	umask 022 && $(CARGO) test --locked --workspace --test debusine

# A long run of faults; the same ones with SEED=…, and as many requests as REQUESTS=… says.
REQUESTS ?= 3000
chaos:
	umask 022 && TASKBAY_CHAOS_SEED=$(or $(SEED),$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')) \
	    TASKBAY_CHAOS_REQUESTS=$(REQUESTS) \
	    $(CARGO) test --locked --quiet --workspace --test queue any_fault -- --test-threads 1

packages: tools cargo-deb
	@scripts/packages
	@scripts/debusine-packages target/packages || [ $$? -eq 77 ]

bench:
	@scripts/bench

# What measures is not what is measured: a debug build, which the tests have too.
bench-debusine: tools
	umask 022 && $(CARGO) build --locked --release --workspace
	umask 022 && $(CARGO) bench --locked --workspace --profile dev --bench debusine
