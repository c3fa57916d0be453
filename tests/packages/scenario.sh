#!/bin/sh
# What an administrator does with the packages, in a fresh root whose package list has them under /packages. Each step
# that shows something says so; the first that fails ends it.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
# What a user runs leaves that user's files; they are no package's.
export HOME=/tmp/home
mkdir -p "$HOME"

say() { printf 'step: %s\n' "$*"; }
fail() { printf 'failed: %s\n' "$*"; exit 1; }
apt() { apt-get --quiet --quiet --yes --no-install-recommends -o Dpkg::Use-Pty=0 "$@" >/tmp/apt.log 2>&1 || { cat /tmp/apt.log; fail "apt-get $*"; }; }
# The tasks that are listed, with their status.
tasks() { taskbay list | awk 'NR > 1 && $3 { print $1 "=" $3 }' | sort | tr '\n' ' '; }
# All files that a package may have brought, and what the user database says.
snapshot() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /tmp -o -path /packages -o -path /var/log \
        -o -path /var/cache/apt -o -path /var/cache/debconf -o -path /var/lib/apt -o -path /var/lib/dpkg \) -prune \
        -o ! -path '/etc/*-' -print | sort
    cat /etc/passwd /etc/group /etc/shadow /etc/subuid /etc/subgid 2>/dev/null || true
}
# Waits until the worker's last word matches.
worker_says() {
    for _ in $(seq 100); do
        if tail -n 1 /tmp/worker.log | grep -q "$1"; then return; fi
        sleep 0.1
    done
    cat /tmp/worker.log
    fail "the worker does not say $1"
}

apt update
snapshot >/tmp/before

apt install taskbay-worker taskbay-task-noop
[ "$(tasks)" = 'noop=ok ' ] || fail "listed: $(tasks)"
taskbay run noop '{}' | grep -q '^success' || fail 'noop does not run'
dpkg-query --show --showformat '${Provides}\n' taskbay | grep -q taskbay-abi-1 || fail 'no taskbay-abi-1'
getent passwd taskbay >/dev/null || fail 'there is no user taskbay'
grep -q '^taskbay:[0-9]*:65536$' /etc/subuid || fail 'the user has no subordinate users'
grep -q '^taskbay:[0-9]*:65536$' /etc/subgid || fail 'the user has no subordinate groups'
[ -e /etc/default/taskbay-worker ] || fail 'there are no settings'
[ -e /etc/systemd/system/multi-user.target.wants/taskbay-worker.service ] || fail 'the service is not enabled'
for command in $(taskbay --help | awk '/^Commands:/ { on = 1; next } /^$/ { on = 0 } on && /^  [a-z]/ && $1 != "help" { print $1 }'); do
    man_page=/usr/share/man/man1/taskbay-$command.1.gz
    [ -e "$man_page" ] || fail "there is no $man_page"
done
[ -e "$man_page" ] || fail 'no command is listed'
say 'exactly the installed task is listed, and runs'

# As the unit starts it.
. /etc/default/taskbay-worker
setpriv --reuid taskbay --regid taskbay --init-groups env HOME=/var/lib/taskbay TASKBAY_CACHE_DIR=/var/cache/taskbay \
    taskbay worker --name here >/tmp/worker.log 2>&1 &
worker=$!
worker_says '^here offers noop 1$'
apt install taskbay-task-blhc
worker_says '^here offers blhc 1, noop 1$'
[ "$(tasks)" = 'blhc=ok noop=ok ' ] || fail "listed: $(tasks)"
# The tool that the task calls came with it.
taskbay can-run blhc '{"input": {"artifact": 1}}' | grep -q '^yes' || fail 'blhc cannot run'
apt remove taskbay-task-noop
worker_says '^here offers blhc 1$'
[ "$(tasks)" = 'blhc=ok ' ] || fail "listed: $(tasks)"
say 'a worker offers what is installed, and no longer what is removed'

echo 'RUST_LOG=debug' >>/etc/default/taskbay-worker
apt install --reinstall taskbay taskbay-worker
grep -q '^RUST_LOG=debug$' /etc/default/taskbay-worker || fail 'the settings are gone'
[ "$(grep -c '^taskbay:' /etc/subuid)" = 1 ] || fail 'the user has got more subordinate users'
[ "$(tasks)" = 'blhc=ok ' ] || fail "listed: $(tasks)"
say 'installing anew keeps the settings and the user'

# Administrators stop the service first, as the package itself does where systemd runs.
kill "$worker"
wait "$worker" || fail "the worker ended with $?"
apt purge --autoremove 'taskbay*'
apt autoremove --purge
snapshot >/tmp/after
diff /tmp/before /tmp/after || fail 'that is what purging left behind'
say 'purging leaves nothing'

useradd --system --home-dir /srv/taskbay taskbay
usermod --add-subuids 200000-265535 taskbay
apt install taskbay-worker
grep -q '^taskbay:200000:65536$' /etc/subuid || fail 'the user has other subordinate users'
grep -q '^taskbay:[0-9]*:65536$' /etc/subgid || fail 'the user has no subordinate groups'
apt purge --autoremove 'taskbay*'
getent passwd taskbay | grep -q ':/srv/taskbay:' || fail 'a user is gone that was there before'
userdel taskbay
say 'a user that was there before is used, and stays'

# debvm is in the backports of bookworm alone, in the version that has debefivm-create.
missing=$(apt-get install --simulate --no-install-recommends taskbay-task-simplesystemimagebuild 2>&1 | grep 'Depends: ' || true)
case $missing in
*'Depends: debvm (>= 0.4)'*) ;;
*) fail "simplesystemimagebuild lacks something else than debvm: $missing" ;;
esac
[ "$(echo "$missing" | wc -l)" -eq 1 ] || fail "simplesystemimagebuild lacks more than debvm: $missing"
all=$(cd /packages && ls taskbay-task-*_*.deb | sed 's/_.*//' | grep -v simplesystemimagebuild)
apt install $all
for package in $all; do
    taskbay list | grep -q "^${package#taskbay-task-} .* ok " || fail "listed: $(taskbay list)"
done
taskbay list --load --strict >/tmp/list || { cat /tmp/list; fail 'not every task can be loaded'; }
say "every task's package can be installed with what it needs"
