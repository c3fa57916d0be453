//! Which of several files of a task's name is used.

use crate::{Failure, Hosts};
use std::path::Path;
use taskbay_loader::{Admissible, Catalog, UnknownTask};

/// The file of that task. Where several have the name, the first that loads: one bad file hides no good one. `told` gets
/// each that is passed over, and why; in the catalog, it is refused then.
///
/// # Errors
///
/// When there is none.
pub fn first_loading(
    catalog: &mut Catalog,
    hosts: &mut Hosts,
    name: &str,
    mut told: impl FnMut(&Path, &Failure),
) -> Result<Admissible, UnknownTask> {
    loop {
        let file = catalog.get(name)?.clone();
        let Some(index) = catalog.with_successor(file.name()) else {
            return Ok(file);
        };
        match hosts.describe(&file) {
            Err(failure) if failure.is_of_plugin() => {
                told(file.path(), &failure);
                catalog.reject(index, failure.into_rejection());
            }
            _ => return Ok(file),
        }
    }
}
