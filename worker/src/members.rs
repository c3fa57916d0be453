//! Who belongs to a process tree.

use crate::process::{self, Process, Stat};
use rustix::process::{Pid, Signal};
use std::{
    collections::{HashMap, HashSet, VecDeque},
    ops::ControlFlow,
    time::Instant,
};

/// How often a chase goes round without finding anybody before it gives up. Once takes less than a tenth of a millisecond
/// and might meet each process just between two lives.
const QUIET_PASSES: u32 = 16;

/// The members of a process tree.
pub(crate) struct Members<'a> {
    pub(crate) root: Process,
    pub(crate) include_root: bool,
    /// Says of a child of the root whether it is no member, with all that is below it. It is asked after the child was
    /// seen, so it knows of every one that was started before.
    pub(crate) is_spared: Box<dyn Fn(Pid) -> bool + 'a>,
    /// Every member ever seen: it stays one, wherever it is adopted to.
    seen: HashSet<Process>,
}

impl Members<'_> {
    /// All below `root`.
    pub(crate) fn below(root: Process) -> Self {
        Self {
            root,
            include_root: false,
            is_spared: Box::new(|_| false),
            seen: HashSet::new(),
        }
    }

    /// The living members, parents before their children, thus the root first. Those that only a chase finds come last.
    pub(crate) fn look(&mut self) -> Vec<Process> {
        let living = self.look_once();
        if living.iter().any(|member| *member != self.root) {
            return living;
        }
        // One that was forked, or adopted by the root, during the look has escaped it.
        let mut found = HashSet::new();
        self.chase(&mut found, |_| ControlFlow::Break(()));
        let mut living = self.look_once();
        found.retain(|process| !living.contains(process));
        living.extend(found);
        living
    }

    /// Whose turn it is among the `living`: children before their parents, and the root only when it is alone.
    pub(crate) fn in_turn<'a>(
        &self,
        living: &'a [Process],
    ) -> impl Iterator<Item = Process> + use<'a> {
        let root = self.root;
        let root_is_alone = living.iter().all(|member| *member == root);
        living
            .iter()
            .rev()
            .copied()
            .filter(move |member| root_is_alone || *member != root)
    }

    /// Stops every member, so that none can fork while the others are killed, and says who they are. Ends when no look
    /// finds a new one, or at `until`.
    pub(crate) fn freeze(&mut self, until: Instant) -> Vec<Process> {
        let mut stopped = HashSet::new();
        loop {
            let before = stopped.len();
            self.chase(&mut stopped, |process| {
                process.signal(Signal::STOP);
                if Instant::now() < until {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            });
            let living = self.look();
            for member in living.iter().filter(|member| stopped.insert(**member)) {
                member.signal(Signal::STOP);
            }
            if stopped.len() == before || Instant::now() >= until {
                return living;
            }
        }
    }

    /// Finds members that a look misses, and hands each to `act` at once: where a process only starts the next one and
    /// ends, none lives as long as it takes to look at all processes. Following the kernel's lists of children is faster
    /// by far, but those who were adopted elsewhere are in none of them, and some kernels have none.
    fn chase(
        &mut self,
        found: &mut HashSet<Process>,
        mut act: impl FnMut(&Process) -> ControlFlow<()>,
    ) {
        let mut ended = HashSet::new();
        let mut quiet = 0;
        while quiet < QUIET_PASSES && self.root.exists() {
            quiet += 1;
            let mut parents = vec![self.root.pid];
            while let Some(parent) = parents.pop() {
                // The youngest come last, and they are those who run away.
                for child in process::children(parent)
                    .unwrap_or_default()
                    .into_iter()
                    .rev()
                {
                    if ended.contains(&child) || self.is_root(parent) && (self.is_spared)(child) {
                        continue;
                    }
                    let is_child = |stat: &Stat| stat.parent == Some(parent);
                    let Some(stat) = Stat::read(child).filter(is_child) else {
                        continue;
                    };
                    if stat.ended {
                        ended.insert(child);
                        continue;
                    }
                    parents.push(child);
                    if found.insert(stat.process) {
                        quiet = 0;
                        self.seen.insert(stat.process);
                        if act(&stat.process).is_break() {
                            return;
                        }
                    }
                }
            }
        }
    }

    fn is_root(&self, pid: Pid) -> bool {
        pid == self.root.pid
    }

    fn look_once(&mut self) -> Vec<Process> {
        let stats = process::all();
        let mut children: HashMap<Pid, Vec<&Stat>> = HashMap::new();
        for stat in &stats {
            if let Some(parent) = stat.parent
                && !(self.is_root(parent) && (self.is_spared)(stat.process.pid))
            {
                children.entry(parent).or_default().push(stat);
            }
        }
        let mut met = HashSet::new();
        let mut living = Vec::new();
        let root = stats.iter().filter(|stat| stat.process == self.root);
        // Not all that were seen before are below the root any more.
        let adopted = stats
            .iter()
            .filter(|stat| self.seen.contains(&stat.process));
        for start in root.chain(adopted) {
            let mut queue = VecDeque::from([start]);
            while let Some(stat) = queue.pop_front() {
                if !met.insert(stat.process.pid) {
                    continue;
                }
                queue.extend(children.get(&stat.process.pid).into_iter().flatten());
                if !stat.ended && (self.include_root || stat.process != self.root) {
                    living.push(stat.process);
                }
            }
        }
        self.seen.extend(&living);
        living
    }
}
