//! The log records of hosts in this process' own log.

use crate::protocol::LogLine;
use log::Record;
use taskbay_plugin_api::host::level_from_number;

/// Logs a host's record as if it had been logged here.
pub(crate) fn pass_on(line: &LogLine) {
    let level = level_from_number(line.level);
    let metadata = log::Metadata::builder()
        .level(level)
        .target(&line.target)
        .build();
    if level > log::max_level() || !log::logger().enabled(&metadata) {
        return;
    }
    let task = line.task.as_ref().map(|task| [("task", task.as_str())]);
    let mut record = Record::builder();
    record
        .metadata(metadata)
        .file(line.file.as_deref())
        .line(line.line);
    if let Some(task) = &task {
        record.key_values(task);
    }
    log::logger().log(&record.args(format_args!("{}", line.message)).build());
}
