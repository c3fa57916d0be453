//! The proof, from outside: real plugin files, the real command, real signals.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that cannot go on fails, one that is skipped says so, and one that measures says what"
)]

/// A directory of plugins and the command, apart from the machine they run on.
mod farm;
/// A command that goes on saying what changes, a line of JSON each.
mod following;
/// Plugin files with faults, made from one that was built.
mod unruly;

/// A scheduler of another make asks, line by line, and is answered whatever plugins do.
mod answering;
/// Flags that mean nothing to a command, and names that look like flags.
mod arguments;
/// Executions: results, logs, crashes, time limits, aborts, and no process left behind.
mod attempts;
/// What no plugin did costs none anything, and nobody else either.
mod blameless;
/// What `taskbay check` says of good plugins, and at which level it names each fault of the hostile kit.
mod check;
/// Arguments and documents, good and bad, and the exit codes.
mod command_line;
/// Many threads and many processes at once.
mod concurrency;
/// A task that says what it can live with has no more than that.
mod confinement;
/// Each row of the task contract that crosses crates has a test of its name; the others are beside their rules.
mod contract;
/// Engines that are Debusine servers, as far as they can be told without one.
mod debusine_urls;
/// A panic, crash or hang in any entry costs only the plugin that it is in.
mod faults;
/// A plugin that says more than anybody can read keeps nobody from looking at the time.
mod floods;
/// What is loaded are the bytes that were checked, whatever becomes of the file.
mod generations;
/// The hostile kit, whole: whatever is wrong with a file, the host lives, says so, and offers the good one beside it.
mod hostile;
/// What the source keeps to, and what the documents promise.
mod house;
/// The task that makes disks, with a stand-in for the tool that few machines have.
mod images;
/// What a request has its task do, in a line, whatever the plugin says.
mod labels;
/// A directory that is watched: tasks come, are replaced and go within a second, and half a file is left alone.
mod live;
mod matching;
/// What a plugin does to the process that it is loaded in costs no other plugin anything.
mod neighbours;
/// A new task's project builds, passes its tests, and is a plugin.
mod new_project;
/// Plugins that die or hang are set aside with the evidence, and are tried again when something changed.
mod quarantine;
/// The tasks that are shipped, on real input.
mod real_tasks;
/// One bad file never hides a good one: each is a row with reason and remedy.
mod rejected;
/// Whom files must belong to, tried as root and as a plain user, and where copies cannot be executed.
mod trusted;
/// Verdicts and their reasons.
mod verdicts;
/// A worker says what it offers, and says it again whenever its plugins change.
mod worker;
