#!/bin/sh
# What the author of a new task does, from the installed packages and Rust to an installed package of the task. What was
# written for it lies in /author.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 HOME=/tmp/home
export CARGO_HOME=/rust/cargo CARGO_NET_OFFLINE=true PATH=/rust/toolchain/bin:$PATH
export DEBFULLNAME=Author DEBEMAIL=author@localhost
# What the suite that runs this was told is not meant for it.
unset CARGO_TARGET_DIR RUSTFLAGS RUSTDOCFLAGS
mkdir -p "$HOME"
cd "$HOME"

say() { printf 'step: %s\n' "$*"; }
fail() { printf 'failed: %s\n' "$*"; exit 1; }
quietly() { "$@" >/tmp/log 2>&1 || { cat /tmp/log; fail "$*"; }; }
apt() { quietly apt-get --quiet --quiet --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$@"; }

apt update
apt install taskbay-dev gcc libc6-dev shellcheck dpkg-dev

start=$(date +%s)
taskbay new shellcheck
cd taskbay-task-shellcheck
cp /author/lib.rs /author/tests.rs src/
sed -i 's/^depends = .*/depends = "$auto, taskbay-abi-1, shellcheck"/' Cargo.toml
quietly cargo test
grep -q '2 passed' /tmp/log || fail 'the tests of the task'
say 'a task is written, and its tests pass'
quietly cargo deb
library=target/release/libtaskbay_task_shellcheck.so
taskbay check "$library" --level 4 >/tmp/check || { cat /tmp/check; fail "taskbay check"; }
say "it passes: $(tail -n 1 /tmp/check)"
apt install ./target/debian/taskbay-task-shellcheck_*.deb
taskbay list | grep -q '^shellcheck *1 *ok ' || fail 'it is not listed'
taskbay run shellcheck '{"script": "#!/bin/sh\necho hello\n"}' | grep -q '^success' || fail 'it does not run'
status=0
taskbay run shellcheck '{"script": "#!/bin/sh\necho $1\n"}' >/tmp/run || status=$?
[ "$status" -eq 1 ] && grep -q '^failure' /tmp/run || fail "it finds no mistake: $status $(cat /tmp/run)"
say "it is installed and runs, $(($(date +%s) - start)) s after it was begun"
