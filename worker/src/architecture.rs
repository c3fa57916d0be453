//! Architectures: this program's own, and those whose programs can be executed here.

use crate::{spawner, tree};
use std::{
    collections::BTreeSet,
    env,
    io::{self, Read, Seek},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use taskbay_plugin_api::is_available;

/// How long the look for foreign architectures may take. It is usually done in a tenth of a second.
const LIMIT: Duration = Duration::from_secs(10);
/// How often it is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Debian's name of the architecture of this program, in the words of `dpkg --print-architecture`.
pub fn host_architecture() -> &'static str {
    let little = cfg!(target_endian = "little");
    let hard_float = cfg!(target_abi = "eabihf");
    match env::consts::ARCH {
        "x86_64" if cfg!(target_pointer_width = "32") => "x32",
        "x86_64" => "amd64",
        "x86" => "i386",
        "aarch64" => "arm64",
        "arm" if hard_float => "armhf",
        "arm" => "armel",
        "powerpc64" if little => "ppc64el",
        "powerpc64" => "ppc64",
        "mips64" if little => "mips64el",
        "mips" if little => "mipsel",
        "loongarch64" => "loong64",
        // Of the others, such as riscv64 and s390x, Debian uses the same name.
        same => same,
    }
}

/// The architectures whose programs can be executed here, as `arch-test` finds; without it the native one.
pub(crate) fn executable() -> BTreeSet<String> {
    let native = host_architecture();
    let mut architectures = BTreeSet::from([native.to_owned()]);
    if is_available("arch-test") {
        match printed(Command::new("arch-test"), LIMIT) {
            Ok(foreign) => architectures.extend(foreign),
            Err(error) => log::warn!(
                "`arch-test` failed, so {native} alone is offered as architecture: {error}; run it to see why"
            ),
        }
    }
    architectures
}

/// The architectures that `arch_test` prints, one a line.
fn printed(mut arch_test: Command, limit: Duration) -> io::Result<BTreeSet<String>> {
    // A file, because a pipe would stay open as long as anything that the program started.
    let mut output = tempfile::tempfile()?;
    arch_test
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(Stdio::null());
    // As hosts are started, so that nobody takes it for an orphan of one.
    let mut child = spawner::spawn(arch_test)?;
    let until = Instant::now() + limit;
    let status = loop {
        if !child.is_running() {
            break child.wait()?;
        }
        if Instant::now() >= until {
            tree::end(child.pid(), true, Duration::ZERO);
            return Err(io::Error::other(format!("it did not end within {limit:?}")));
        }
        thread::sleep(LOOK);
    };
    if !status.success() {
        return Err(io::Error::other(status.to_string()));
    }
    let mut text = String::new();
    output.rewind()?;
    output.read_to_string(&mut text)?;
    let is_architecture = |line: &&str| {
        !line.is_empty()
            && line
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    Ok(text
        .lines()
        .map(str::trim)
        .filter(is_architecture)
        .map(str::to_owned)
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::process::{Pid, Signal, kill_process};

    fn arch_test(script: &str, limit: Duration) -> io::Result<Vec<String>> {
        let mut shell = Command::new("sh");
        shell.args(["-c", script]);
        printed(shell, limit).map(Vec::from_iter)
    }

    #[test]
    fn the_native_architecture_is_as_dpkg_says() {
        let dpkg = Command::new("dpkg")
            .arg("--print-architecture")
            .output()
            .unwrap();
        assert_eq!(
            String::from_utf8(dpkg.stdout).unwrap().trim(),
            host_architecture()
        );
    }

    #[test]
    fn reads_what_arch_test_prints() {
        let limit = LIMIT;
        let found = arch_test(
            "printf 'i386\\namd64\\n\\narmhf: not here\\n i386\\n'",
            limit,
        );
        assert_eq!(found.unwrap(), ["amd64", "i386"]);
        assert_eq!(
            arch_test("echo amd64; exit 3", limit)
                .unwrap_err()
                .to_string(),
            "exit status: 3"
        );
        assert!(arch_test("printf '\\377'", limit).is_err());
        assert!(printed(Command::new("taskbay-has-no-such-program"), limit).is_err());
    }

    #[test]
    fn an_arch_test_that_hangs_costs_a_limited_time() {
        let error = arch_test("exec sleep 600", Duration::from_millis(50)).unwrap_err();
        assert_eq!(error.to_string(), "it did not end within 50ms");
    }

    #[test]
    fn what_an_arch_test_leaves_behind_is_not_waited_for() {
        let started = Instant::now();
        // The process that holds the output. Its number passes for an architecture.
        let found = arch_test("sleep 60 & echo $!; echo amd64", LIMIT).unwrap();
        assert!(started.elapsed() < Duration::from_secs(50));
        let [left, "amd64"] = [&*found[0], &*found[1]] else {
            panic!("{found:?}");
        };
        let left = Pid::from_raw(left.parse().unwrap()).unwrap();
        kill_process(left, Signal::KILL).unwrap();
    }
}
