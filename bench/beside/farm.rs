//! What is measured, which was built before, where the tests' farm builds what it has.

use std::{
    env,
    path::{Path, PathBuf},
    sync::OnceLock,
};

/// The environment variable that asks for a short run with the debug build, to try this program.
const TRY_VARIABLE: &str = "TASKBAY_BENCH_TRY";

/// Whether this run shall only show that it works.
pub(crate) fn is_try() -> bool {
    env::var_os(TRY_VARIABLE).is_some()
}

/// The directory with the program and the plugins that are measured.
pub(crate) fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = env::current_exe().unwrap();
        // This program lies in `deps` of its own build.
        let target = program.ancestors().nth(3).unwrap();
        let built = target.join(if is_try() { "debug" } else { "release" });
        assert!(
            built.join("taskbay").is_file(),
            "{} has no `taskbay`: build the whole workspace first",
            built.display()
        );
        built
    })
}

/// The folder of the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
