//! A process tree: all that a process started, directly or not, and how to end it.
//!
//! Membership is read from `/proc`, so neither `setsid` nor a double fork leaves the tree, as long as its root is its
//! descendants' subreaper. What was seen once stays a member, even where it is adopted by another process later.

use crate::{
    later::later,
    members::Members,
    process::{self, Process, reap},
};
use rustix::{
    io::Errno,
    process::{Pid, Signal, WaitId, WaitIdOptions, getpid, waitid},
};
use std::{
    collections::HashSet,
    ops::ControlFlow,
    thread,
    time::{Duration, Instant},
};

/// How often the members of a tree are looked at.
const LOOK: Duration = Duration::from_millis(10);
/// How often new members are looked for while the known ones are given time.
const RESCAN: Duration = Duration::from_millis(100);
/// How long killing may take in all. More than a second is needed by hung file systems and fork bombs only.
pub(crate) const KILL_LIMIT: Duration = Duration::from_secs(10);
/// How long a tree may be chased before all that was stopped of it is killed.
const FREEZE_LIMIT: Duration = Duration::from_secs(3);

/// What became of a tree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ended {
    /// How many processes got TERM.
    pub asked: usize,
    /// How many processes got KILL.
    pub killed: usize,
    /// Those that are still there.
    pub survivors: Vec<Survivor>,
}

/// A process that KILL did not end: it hangs in the kernel, or belongs to another user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survivor {
    /// Its number.
    pub pid: Pid,
    /// Its command name.
    pub command: String,
}

impl Survivor {
    /// The process of that number, if it is there.
    pub(crate) fn of(pid: Pid) -> Option<Self> {
        let command = Process::find(pid)?.command()?;
        Some(Self { pid, command })
    }
}

/// The living descendants of `root`, parents before their children; not `root` itself.
pub fn descendants(root: Pid) -> Vec<Process> {
    Process::find(root).map_or_else(Vec::new, |root| Members::below(root).look())
}

/// Whether `root` has children, living or not: quicker to find out than who they are, and all that there is to know of
/// the tree below a subreaper when the answer is no.
pub fn has_children(root: Pid) -> bool {
    // A kernel without these lists gives none, and then the long way must tell.
    process::children(root).map_or_else(
        || Process::find(root).is_some(),
        |children| !children.is_empty(),
    )
}

/// Whether this process has no children, living or not, by any of its threads: quicker to find out than anything that is read
/// from `/proc`, where each process that was looked at also takes longer to end.
pub fn is_childless() -> bool {
    // `__WALL`: also those that tell of their end by another signal, or none.
    let all = WaitIdOptions::from_bits_retain(0x4000_0000);
    let look = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT | all;
    waitid(WaitId::All, look).is_err_and(|error| error == Errno::CHILD)
}

/// Ends the tree below `root`, with `root` itself where `include_root` says so.
///
/// All get TERM, and `grace` to end by themselves. What is left then is stopped, so that nothing can fork any more, and
/// killed. `root` comes last each time, when the others are gone, because it is who adopts orphans: without it they would
/// be lost. Takes at most `grace` and eleven seconds. This process itself is never signalled, so it may name itself as
/// `root`.
pub fn end(root: Pid, include_root: bool, grace: Duration) -> Ended {
    let Some(root) = Process::find(root) else {
        return Ended::default();
    };
    let mut members = Members::below(root);
    members.include_root = include_root;
    end_members(members, grace)
}

/// The living children of this process of which `is_known` does not say that it knows them. Those that have ended are
/// reaped.
///
/// When this process is a subreaper, these are what a dead host left behind. `is_known` is asked of a child after that was
/// seen. It must know every child that this process started itself, also one that another thread started just now: its
/// exit status would be lost otherwise.
pub fn orphans_of_this_process(is_known: impl Fn(Pid) -> bool) -> Vec<Process> {
    let this = getpid();
    let mut orphans = Vec::new();
    for stat in process::all() {
        if stat.parent != Some(this) || is_known(stat.process.pid) {
            continue;
        }
        if stat.ended {
            reap(&stat.process);
        } else {
            orphans.push(stat.process);
        }
    }
    orphans
}

/// Ends, as [`end`] does, all trees below the [orphans](orphans_of_this_process), and reaps the orphans.
pub fn end_orphans(is_known: impl Fn(Pid) -> bool, grace: Duration) -> Ended {
    let Some(this) = Process::find(getpid()) else {
        return Ended::default();
    };
    let mut members = Members::below(this);
    members.is_spared = Box::new(&is_known);
    let ended = end_members(members, grace);
    orphans_of_this_process(is_known);
    ended
}

fn end_members(mut members: Members<'_>, grace: Duration) -> Ended {
    let mut ended = Ended::default();
    if ask(&mut members, grace, &mut ended.asked).is_continue() {
        ended.killed = kill(&mut members);
        ended.survivors = members
            .look()
            .iter()
            .filter_map(|process| Survivor::of(process.pid))
            .collect();
    }
    ended
}

/// Sends TERM to every member, also to those that come later, until `grace` is over. Breaks off when none is left.
fn ask(members: &mut Members<'_>, grace: Duration, count: &mut usize) -> ControlFlow<()> {
    let until = later(Instant::now(), grace);
    let mut asked = HashSet::new();
    loop {
        let living = members.look();
        for member in members
            .in_turn(&living)
            .filter(|member| asked.insert(*member))
        {
            member.signal(Signal::TERM);
            // A stopped process would never come to act on it.
            member.signal(Signal::CONT);
        }
        *count = asked.len();
        if living.is_empty() {
            return ControlFlow::Break(());
        }
        if Instant::now() >= until {
            return ControlFlow::Continue(());
        }
        wait_until_gone(&living, until.min(Instant::now() + RESCAN));
    }
}

/// Kills in rounds until no member is left or the time is over.
fn kill(members: &mut Members<'_>) -> usize {
    let until = Instant::now() + KILL_LIMIT;
    let mut killed = HashSet::new();
    loop {
        let frozen = members.freeze(until.min(Instant::now() + FREEZE_LIMIT));
        let late = Instant::now() >= until;
        // What is left below the root then will not end before it either.
        let rest = frozen.iter().rev().copied().filter(|_| late);
        killed.extend(
            members
                .in_turn(&frozen)
                .chain(rest)
                .filter(|member| member.signal(Signal::KILL)),
        );
        if frozen.is_empty() || late {
            wait_until_gone(&frozen, Instant::now() + LOOK * 50);
            return killed.len();
        }
        wait_until_gone(&frozen, until.min(Instant::now() + RESCAN));
    }
}

/// Waits until none of `processes` lives any more, or `until`.
fn wait_until_gone(processes: &[Process], until: Instant) {
    while Instant::now() < until && processes.iter().any(Process::is_alive) {
        thread::sleep(LOOK);
    }
}
