//! From the text of task data to a task.

use serde_path_to_error::Segment;
use taskbay_core::{Task, TaskConfigError, escape_pointer_token};

/// The task that JSON text configures. The host has held it against the schema before.
///
/// # Errors
///
/// Where it does not parse, or everything that the task's own check finds.
pub fn configured<T: Task>(data: &str) -> Result<T, Vec<TaskConfigError>> {
    let task: T = parse(data).map_err(|error| vec![error])?;
    let errors = task.check();
    if errors.is_empty() {
        Ok(task)
    } else {
        Err(errors)
    }
}

/// Parses task data; only data that does not parse is parsed again to find out where it is wrong.
fn parse<T: Task>(data: &str) -> Result<T, TaskConfigError> {
    serde_json::from_str(data).map_err(|plain| {
        let located =
            serde_path_to_error::deserialize(&mut serde_json::Deserializer::from_str(data));
        match located {
            Err::<T, _>(error) => {
                TaskConfigError::new(pointer(error.path()), error.inner().to_string())
            }
            Ok(_) => TaskConfigError::new("", plain.to_string()),
        }
    })
}

/// A path of serde as a JSON pointer.
fn pointer(path: &serde_path_to_error::Path) -> String {
    path.iter()
        .map(|segment| match segment {
            Segment::Seq { index } => format!("/{index}"),
            Segment::Map { key } => format!("/{}", escape_pointer_token(key)),
            // A variant is not part of the document, and nothing unknown has a place in it.
            Segment::Enum { .. } | Segment::Unknown => String::new(),
        })
        .collect()
}
