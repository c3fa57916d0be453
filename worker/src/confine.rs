//! Confining a process, and all that it starts, to its current directory.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset,
    RulesetAttr, RulesetCreatedAttr, RulesetError, Scope, path_beneath_rules,
};
use rustix::{
    process::{Resource, Rlimit, getrlimit, setrlimit},
    thread::set_no_new_privs,
};
use std::{io, sync::Once};
use taskbay_core::Confinement;

/// The kernel's newest interface that is made use of, where it is there.
const NEWEST: ABI = ABI::V6;
/// The oldest that is of use: before it, no file could be moved from one directory to another.
const OLDEST: ABI = ABI::V2;
/// The oldest in which files cannot be cut short from outside, which is a way of writing too.
const CUTTING: ABI = ABI::V3;
/// The most files that a process may have open. Some programs try to close as many as they might have.
const OPEN_FILES: u64 = 65536;
/// What can be written to from anywhere, and nothing comes of it. Those that there are not are left out.
const DEVICES: [&str; 6] = [
    "/dev/full",
    "/dev/null",
    "/dev/random",
    "/dev/tty",
    "/dev/urandom",
    "/dev/zero",
];

/// Confines this process for good, as far as the kernel can. It must have one thread: others stay as they are.
pub(crate) fn confine(confinement: Confinement) -> io::Result<()> {
    match confinement {
        Confinement::None => Ok(()),
        Confinement::Limits => limit(),
        Confinement::Strict => {
            limit()?;
            set_no_new_privs(true)?;
            hold_back().map_err(io::Error::other)
        }
    }
}

/// Why this kernel does not keep the files outside from being written to.
fn why_files_are_open() -> Option<&'static str> {
    let is_closed = supports(|ruleset| ruleset.handle_access(AccessFs::from_write(OLDEST)));
    (!is_closed).then_some(
        "the kernel does not keep an attempt from writing outside its work directory: that takes Linux 5.19 or newer with \
         Landlock enabled (`lsm=landlock,…`)",
    )
}

/// Warns of what is lacking, once in the life of this process.
pub(crate) fn tell_of_what_is_lacking() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        if let Some(why) = what_is_lacking() {
            log::warn!("{why}");
        }
    });
}

/// What of [`Confinement::Strict`] this kernel lacks.
pub(crate) fn what_is_lacking() -> Option<&'static str> {
    if let Some(why) = why_files_are_open() {
        return Some(why);
    }
    if !supports(|ruleset| ruleset.handle_access(AccessFs::from_write(CUTTING))) {
        return Some(
            "the kernel is older than Linux 6.2: an attempt can cut files short that lie outside its work directory, and send \
             signals to others of the same user",
        );
    }
    let has_all = supports(|ruleset| {
        ruleset
            .handle_access(AccessFs::from_write(NEWEST))?
            .scope(Scope::from_all(NEWEST))
    });
    (!has_all).then_some(
        "the kernel is older than Linux 6.12: an attempt can send signals to others of the same user",
    )
}

/// Whether the kernel takes all of these rules. Nothing is held back by it.
fn supports(rules: impl FnOnce(Ruleset) -> Result<Ruleset, RulesetError>) -> bool {
    let ruleset = Ruleset::default().set_compatibility(CompatLevel::HardRequirement);
    rules(ruleset).and_then(Ruleset::create).is_ok()
}

/// No core dumps, and not without end many files.
fn limit() -> io::Result<()> {
    // 0 would stop no program that takes cores (a pipe in `core_pattern`): by 1 the kernel knows that it shall not, and no
    // file is that short.
    let most = |limit: Option<u64>| Some(limit.unwrap_or(1).min(1));
    let cores = getrlimit(Resource::Core).maximum;
    let none = Rlimit {
        current: most(cores),
        maximum: most(cores),
    };
    setrlimit(Resource::Core, none)?;
    let files = getrlimit(Resource::Nofile);
    let at_most = |limit: Option<u64>| Some(limit.unwrap_or(OPEN_FILES).min(OPEN_FILES));
    let files = Rlimit {
        current: at_most(files.current),
        maximum: at_most(files.maximum),
    };
    setrlimit(Resource::Nofile, files)?;
    Ok(())
}

/// Leaves the current directory as the only one in which anything can be made, changed or removed, and signals to this
/// process and what it starts.
fn hold_back() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    if why_files_are_open().is_some() {
        return Ok(());
    }
    let everything = AccessFs::from_write(NEWEST);
    // A device that root made there would lead to what lies outside: a whole disk.
    let making: BitFlags<_> = AccessFs::MakeBlock | AccessFs::MakeChar;
    let device: BitFlags<_> = AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    Ruleset::default()
        .handle_access(everything)?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .add_rule(PathBeneath::new(PathFd::new(".")?, everything & !making))?
        .add_rules(path_beneath_rules(DEVICES, device))?
        .restrict_self()?;
    Ok(())
}
