//! What a worker takes of its machine, with all processes that it has started.

use std::fs;

/// How many milliseconds a tick has, in which Linux tells times of all its usual machines: a hundredth of a second.
const TICK: f64 = 10.0;

/// The processor's time that a worker took so far, in milliseconds.
pub(crate) struct Time {
    /// Its own process.
    pub(crate) own: f64,
    /// All that it started, too.
    pub(crate) all: f64,
}

/// What a worker has in memory, in MB.
pub(crate) struct Memory {
    /// With its part of what it shares with others.
    pub(crate) proportional: f64,
    /// What it shares with nobody.
    pub(crate) private: f64,
    /// All of it, and what several of its processes share several times.
    pub(crate) resident: f64,
}

/// What the kernel says of a process.
struct Process {
    id: u32,
    parent: u32,
    /// Its user and system time.
    own: f64,
    /// The same with that of all children that have ended.
    all: f64,
}

/// What the worker of that number took so far.
pub(crate) fn time(worker: u32) -> Time {
    let processes = processes(worker);
    let all: f64 = processes.iter().map(|process| process.all).sum();
    Time {
        own: processes[0].own * TICK,
        all: all * TICK,
    }
}

/// How many processes it has.
pub(crate) fn count(worker: u32) -> u32 {
    u32::try_from(processes(worker).len()).unwrap()
}

/// What it has in memory now.
pub(crate) fn memory(worker: u32) -> Memory {
    let rolled_up = |process: Process| {
        fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id)).unwrap()
    };
    let texts: Vec<_> = processes(worker).into_iter().map(rolled_up).collect();
    let megabytes = |wanted: &[&str]| -> f64 {
        let lines = texts
            .iter()
            .flat_map(|text| text.lines())
            .filter_map(|line| line.split_once(':'));
        let values = lines.filter(|(key, _)| wanted.contains(key));
        let kibibytes = values.map(|(_, value)| {
            let number = value.trim().strip_suffix(" kB").unwrap();
            number.parse::<f64>().unwrap()
        });
        kibibytes.sum::<f64>() * 1024.0 / 1e6
    };
    Memory {
        proportional: megabytes(&["Pss"]),
        private: megabytes(&["Private_Clean", "Private_Dirty"]),
        resident: megabytes(&["Rss"]),
    }
}

/// The worker's own process, and all that it started, its children's too.
fn processes(worker: u32) -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap();
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut others: Vec<_> = names.filter_map(|name| Process::read(&name)).collect();
    let mut found: Vec<_> = others
        .extract_if(.., |process| process.id == worker)
        .collect();
    let mut next = 0;
    while let Some(parent) = found.get(next).map(|process| process.id) {
        found.extend(others.extract_if(.., |process| process.parent == parent));
        next += 1;
    }
    assert!(!found.is_empty(), "the worker is gone");
    found
}

impl Process {
    /// None where it is none, or gone.
    fn read(name: &str) -> Option<Self> {
        let id = name.parse().ok()?;
        let status = fs::read_to_string(format!("/proc/{name}/stat")).ok()?;
        // Its program's name may have spaces.
        let (_, rest) = status.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        // Times are the fields 14 to 17 of all (proc_pid_stat(5)), and here the first one is the third.
        let times = fields.get(11..15)?.iter().map(|time| time.parse::<f64>());
        let times: Vec<_> = times.collect::<Result<_, _>>().ok()?;
        Some(Self {
            id,
            parent: fields.get(1)?.parse().ok()?,
            own: times[..2].iter().sum(),
            all: times.iter().sum(),
        })
    }
}
