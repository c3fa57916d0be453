//! What stands between a task's code and its host.

use crate::{abi::Reply, fault::Fault};
use abi_stable::std_types::RResult;
use std::{
    any::Any,
    cell::RefCell,
    mem,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

thread_local! {
    /// Where the last panic on this thread was, as the hook saw it.
    pub(crate) static PANICKED_AT: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Answers for `entry`, whatever it does: a panic that reached the boundary would end the host.
pub(crate) fn guard<R>(
    poison: Option<&AtomicBool>,
    entry: impl FnOnce() -> Result<R, Fault>,
) -> Reply<R> {
    let fault = match catch_unwind(AssertUnwindSafe(entry)) {
        Ok(Ok(value)) => return RResult::ROk(value),
        Ok(Err(fault)) => fault,
        Err(payload) => {
            if let Some(poisoned) = poison {
                poisoned.store(true, Ordering::Relaxed);
            }
            panicked(payload)
        }
    };
    RResult::RErr(fault.to_json().into())
}

/// What a panic's payload says. The payload is leaked, since its own drop may panic too.
fn panicked(payload: Box<dyn Any + Send>) -> Fault {
    let message = if let Some(text) = payload.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text.clone()
    } else {
        "with something that is no text".to_owned()
    };
    mem::forget(payload);
    let location = PANICKED_AT.take();
    Fault::Panic { message, location }
}
