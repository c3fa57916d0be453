//! Matching and explaining: who may run what, who does, and why not.
//!
//! It refuses to know how a task is executed, where requests wait, and how plugin code is run: whoever asks a
//! task's own code does so through a [`Judge`].
//!
//! ```
//! use taskbay_core::{Configured, Metadata, Requirement};
//! use taskbay_scheduler::{Conditional, Matchable, Outlook, Pending, Request, Scheduler, Worker};
//!
//! let mut scheduler = Scheduler::default();
//! let metadata = Metadata::parse(r#"{"build:version": 1, "system:cpu_count": 32}"#)?;
//! scheduler.set_worker(Worker::new("fast", metadata));
//! let build = Matchable::new(Request {
//!     task: "build".to_owned().try_into()?,
//!     version: 1,
//!     file: "the hash of its file".to_owned(),
//!     configured: Configured {
//!         data: "{}".to_owned(),
//!         requirements: vec![Requirement::at_least("system:cpu_count", 8.0)],
//!         ..Configured::default()
//!     },
//! });
//! let signature = scheduler.add_task(build);
//! scheduler.add(signature, [Pending { priority: 0, created: 0, request: 7 }]);
//! let assignments = scheduler.pass(&mut Conditional)?;
//! assert_eq!((assignments[0].request, &*assignments[0].worker), (7, "fast"));
//! assert_eq!(scheduler.outlook(signature, &mut Conditional)?, Outlook::Busy);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod matchable;

mod lists;
mod worker;

mod bits;
mod fleet;

mod judge;
mod verdicts;

mod columns;
mod demands;
mod signatures;

mod backlog;
mod choice;
mod scheduler;

mod explanation;

pub use backlog::Pending;
pub use explanation::{Away, Explanation, Nearest, Row, Versions};
pub use judge::{Conditional, Judge, NotAsked, verdict};
pub use lists::Lists;
pub use matchable::{Matchable, Request, Signature};
pub use scheduler::{Assignment, Outlook, Scheduler, SignatureId};
pub use worker::Worker;
