//! A [`Task`] as ABI functions, each behind a guard, and the macro that exports them.
#![expect(
    unsafe_code,
    reason = "the library header of abi_stable is made by an unsafe constructor"
)]

use crate::{
    abi::{
        ConfiguredTask, ConfiguredTask_TO, ConfiguredTaskBox, HostRef, ParsedWorker,
        ParsedWorker_TO, ParsedWorkerBox, Reply, TaskModule, TaskModuleRef,
    },
    bridge,
    configured::configured,
    convert::{Attempt, Description},
    fault::Fault,
    guard::{PANICKED_AT, guard},
};
use abi_stable::{
    library::{
        __call_root_module_loader, CheckTypeLayout, LibHeader, ROOT_MODULE_LOADER_NAME,
        RootModuleResult,
    },
    prefix_type::WithMetadata,
    sabi_trait::TD_CanDowncast,
    staticref,
    std_types::{ROption, RResult, RStr, RString, RVec},
};
use std::{
    marker::PhantomData,
    sync::atomic::{AtomicBool, Ordering},
};
use taskbay_core::{Declared, Metadata, Task, default_code};

/// The symbol under which hosts look for the library header. A test holds it against `abi_stable`'s own constant.
pub const ROOT_MODULE_SYMBOL: &str = ROOT_MODULE_LOADER_NAME;

/// Exports a [`Task`] from a `cdylib`: two statics, the library header and the ELF note with the manifest.
///
/// A name that is not allowed, or `panic = "abort"`, does not compile:
///
/// ```compile_fail
/// # use taskbay_plugin_api::{Context, Task, TaskError, export_task};
/// # #[derive(serde::Deserialize, serde::Serialize, schemars::JsonSchema)]
/// struct Shout {}
///
/// impl Task for Shout {
///     const NAME: &'static str = "SHOUT"; // upper case
///     const VERSION: u32 = 1;
/// #   fn execute(&self, _: &Context) -> Result<bool, TaskError> { Ok(true) }
/// }
///
/// export_task!(Shout);
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! export_task {
    ($task:ty) => {
        const _: () = {
            const TEXT: $crate::__private::ManifestText =
                $crate::__private::ManifestText::of::<$task>(
                    env!("CARGO_PKG_NAME"),
                    env!("CARGO_PKG_VERSION"),
                    // Asked here, since it is the plugin's own strategy that counts.
                    cfg!(panic = "unwind"),
                );

            #[used]
            #[unsafe(link_section = ".note.taskbay")]
            static NOTE: $crate::__private::Note<{ TEXT.size().next_multiple_of(4) }> = TEXT.note();

            #[unsafe(export_name = "_1as_0lib_1header_0root_bmodule_bloader")]
            static HEADER: $crate::__private::LibHeader = $crate::__private::header::<$task>();

            const _: () = assert!($crate::__private::is_symbol(
                "_1as_0lib_1header_0root_bmodule_bloader"
            ));
        };
    };
}

/// Whether `name` is [`ROOT_MODULE_SYMBOL`], in a constant.
pub const fn is_symbol(name: &str) -> bool {
    let (ours, theirs) = (name.as_bytes(), ROOT_MODULE_SYMBOL.as_bytes());
    if ours.len() != theirs.len() {
        return false;
    }
    let mut i = 0;
    while i < ours.len() {
        if ours[i] != theirs[i] {
            return false;
        }
        i += 1;
    }
    true
}

/// The library header of the plugin that exports `T`.
pub const fn header<T: Task>() -> LibHeader {
    // SAFETY: `constructor` returns what `__call_root_module_loader` makes of a `TaskModuleRef`, the type named here.
    unsafe { LibHeader::from_constructor::<TaskModuleRef>(constructor::<T>, CheckTypeLayout::Yes) }
}

extern "C" fn constructor<T: Task>() -> RootModuleResult {
    __call_root_module_loader(|| TaskModuleRef(Module::<T>::VALUE.as_prefix()))
}

/// The root module of the plugin that exports `T`.
struct Module<T>(PhantomData<T>);

impl<T: Task> Module<T> {
    staticref! {
        const VALUE: WithMetadata<TaskModule> = WithMetadata::new(TaskModule {
            install: install::<T>,
            set_log_level,
            describe: describe::<T>,
            analyze_worker: analyze_worker::<T>,
            configure: configure::<T>,
            parse_worker,
        })
    }
}

extern "C" fn install<T: Task>(host: HostRef, level: u8) {
    let _ = guard(None, || {
        bridge::install(host, T::NAME, level);
        std::panic::set_hook(Box::new(|panic| {
            let location = panic.location();
            let text = location.map(|at| format!("{}:{}", at.file(), at.line()));
            PANICKED_AT.set(text.unwrap_or_default());
        }));
        Ok(())
    });
}

extern "C" fn set_log_level(level: u8) {
    bridge::set_level(level);
}

extern "C" fn describe<T: Task>() -> Reply<RString> {
    guard(None, || {
        json(&Description {
            name: T::NAME.to_owned(),
            version: T::VERSION,
            schema: T::schema(),
            has_can_run_on: T::HAS_CAN_RUN_ON,
        })
    })
}

extern "C" fn analyze_worker<T: Task>(known: RStr<'_>) -> Reply<RString> {
    guard(None, || json(&T::analyze_worker(&metadata(known)?)?))
}

extern "C" fn configure<T: Task>(data: RStr<'_>) -> Reply<ConfiguredTaskBox> {
    guard(None, || {
        let task: T = configured(data.as_str()).map_err(|errors| Fault::Config { errors })?;
        let instance = Instance {
            task: Some(task),
            poisoned: AtomicBool::new(false),
        };
        Ok(ConfiguredTask_TO::from_value(instance, TD_CanDowncast))
    })
}

extern "C" fn parse_worker(text: RStr<'_>) -> Reply<ParsedWorkerBox> {
    guard(None, || {
        let worker = Worker(metadata(text)?);
        Ok(ParsedWorker_TO::from_value(worker, TD_CanDowncast))
    })
}

/// Worker metadata in the plugin's own form.
struct Worker(Metadata);

impl ParsedWorker for Worker {
    fn entries(&self) -> usize {
        self.0.len()
    }
}

/// A configured task behind its guard.
struct Instance<T: Task> {
    /// Always there until dropped.
    task: Option<T>,
    /// Set by a panic: the task's state may be broken, so it answers nothing after that.
    poisoned: AtomicBool,
}

impl<T: Task> Instance<T> {
    fn ask<R>(&self, question: impl FnOnce(&T) -> Result<R, Fault>) -> Reply<R> {
        match &self.task {
            Some(task) if !self.poisoned.load(Ordering::Relaxed) => {
                guard(Some(&self.poisoned), || question(task))
            }
            _ => RResult::RErr(Fault::Poisoned.to_json().into()),
        }
    }
}

impl<T: Task> ConfiguredTask for Instance<T> {
    fn data(&self) -> Reply<RString> {
        self.ask(|task| json(task))
    }

    fn requirements(&self) -> Reply<RString> {
        self.ask(|task| match task.requirements() {
            none if none.is_empty() => Ok(RString::new()),
            requirements => json(&requirements),
        })
    }

    fn match_key(&self) -> Reply<ROption<RString>> {
        self.ask(|task| Ok(task.match_key().map(RString::from).into()))
    }

    fn can_run_on(&self, worker: &ParsedWorkerBox) -> Reply<RVec<RString>> {
        self.ask(|task| {
            let worker: &Worker = worker.obj.downcast_as().map_err(|_| Fault::Failed {
                message: "the worker metadata was parsed by another plugin".to_owned(),
            })?;
            if !T::HAS_CAN_RUN_ON {
                // Nobody who wants a verdict asks then, but whoever tries the plugin for its author.
                no_own_code(task, &worker.0)?;
            }
            Ok(match task.can_run_on(&worker.0) {
                Ok(()) => RVec::new(),
                Err(refusal) => refusal
                    .into_messages()
                    .into_iter()
                    .map(Into::into)
                    .collect(),
            })
        })
    }

    fn execute(&self, attempt: RStr<'_>) -> Reply<bool> {
        self.ask(|task| {
            let attempt: Attempt = serde_json::from_str(attempt.as_str()).map_err(failed)?;
            Ok(task.execute(&bridge::context(attempt))?)
        })
    }

    fn declared(&self) -> Reply<RString> {
        self.ask(|task| {
            json(&Declared {
                confinement: task.confinement(),
                label: task.label(),
            })
        })
    }
}

impl<T: Task> Drop for Instance<T> {
    fn drop(&mut self) {
        let task = self.task.take();
        // What a drop says as it panics has no way to the caller; the hook's place is in the log.
        if let RResult::RErr(fault) = guard(None, || {
            drop(task);
            Ok(())
        }) {
            log::error!("dropping the task: {}", Fault::from_json(&fault));
        }
    }
}

/// Whether a task that says that it has no code of its own to judge workers has none.
fn no_own_code(task: &impl Task, worker: &Metadata) -> Result<(), Fault> {
    let (_, is_default) = default_code::answers(|| task.can_run_on(worker));
    if is_default {
        return Ok(());
    }
    Err(Fault::Failed {
        message: "can_run_on is overridden, and HAS_CAN_RUN_ON is false".to_owned(),
    })
}

fn json(value: &impl serde::Serialize) -> Result<RString, Fault> {
    serde_json::to_string(value).map(Into::into).map_err(failed)
}

fn metadata(text: RStr<'_>) -> Result<Metadata, Fault> {
    Metadata::parse(text.as_str()).map_err(failed)
}

fn failed(error: impl std::error::Error) -> Fault {
    Fault::Failed {
        message: error.to_string(),
    }
}
