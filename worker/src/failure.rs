//! Why a question about a plugin has no answer.

use crate::{death::Death, protocol::Answer};
use std::{io, time::Duration};
use taskbay_core::{ErrorCode, TaskConfigError};
use taskbay_loader::Rejection;
use taskbay_plugin_api::host::Fault;

/// Why a question about a plugin has no answer. Never names the plugin: whoever reports it adds that.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plugin is refused.
    #[error(transparent)]
    Rejected(Rejection),
    /// The task data is invalid: every fault found.
    #[error("the task data is invalid")]
    Invalid(Vec<TaskConfigError>),
    /// The plugin returned an error, or panicked.
    #[error("{0}")]
    Fault(Fault),
    /// The process that the plugin ran in died.
    #[error("its process {0}")]
    Died(Death),
    /// The plugin did not answer in time.
    #[error("it gave no answer within {} s", after.as_secs_f64())]
    Hung {
        /// The limit.
        after: Duration,
    },
    /// The plugin wrote to the socket that is its host's.
    #[error("its process said what no plugin host says: {0}")]
    Garbled(String),
    /// The question is too large.
    #[error("it cannot be asked that: {0}")]
    Unsendable(String),
    /// No plugin host can be started, or spoken to.
    #[error("no plugin host can be run: {0}")]
    NoHost(String),
    /// The caller was told to stop.
    #[error("it was interrupted")]
    Interrupted,
}

impl Failure {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Rejected(rejection) => rejection.help(),
            Self::Invalid(_) => "`taskbay schema NAME` shows what task data may say".to_owned(),
            Self::Fault(_) | Self::Died(_) | Self::Garbled(_) => {
                "report it to the plugin's author".to_owned()
            }
            Self::Hung { .. } => {
                "report it to the plugin's author, or allow more time with --plugin-timeout"
                    .to_owned()
            }
            Self::Unsendable(_) => "make the task data or the metadata smaller".to_owned(),
            Self::NoHost(_) => {
                "see whether this user may start processes, and has memory left".to_owned()
            }
            Self::Interrupted => "run it again".to_owned(),
        }
    }

    /// Whether the plugin crashed, hung or panicked, which no plugin should.
    pub fn is_crash(&self) -> bool {
        match self {
            Self::Died(_) | Self::Hung { .. } | Self::Garbled(_) => true,
            Self::Rejected(Rejection::Elsewhere { crashed, .. }) => *crashed,
            failure => failure.is_panic(),
        }
    }

    /// Whether the plugin's code panicked, now or before.
    pub fn is_panic(&self) -> bool {
        matches!(self, Self::Fault(Fault::Panic { .. } | Fault::Poisoned))
    }

    /// What kind of error it is where an attempt cannot begin.
    pub fn error_code(&self) -> ErrorCode {
        match self {
            Self::Invalid(_) | Self::Fault(_) => ErrorCode::ConfigureFailed,
            failure if failure.is_crash() => ErrorCode::Crashed,
            _ => ErrorCode::SetupFailed,
        }
    }

    /// Whether the plugin is to blame, or the question, and not the machine or the caller.
    pub fn is_of_plugin(&self) -> bool {
        !matches!(self, Self::NoHost(_) | Self::Interrupted)
    }

    /// Whether what another plugin did to the process may be to blame.
    pub(crate) fn may_be_of_another(&self) -> bool {
        !matches!(
            self,
            Self::Invalid(_) | Self::Unsendable(_) | Self::Interrupted
        )
    }

    /// As the reason why a file is not used, of a failure that is kept.
    pub(crate) fn as_rejection(&self) -> Rejection {
        match self {
            Self::Rejected(rejection) => rejection.again(),
            other => Rejection::Elsewhere {
                reason: other.to_string(),
                help: other.help(),
                crashed: other.is_crash(),
                missing: None,
            },
        }
    }

    /// As the reason why a file is not used.
    pub fn into_rejection(self) -> Rejection {
        match self {
            Self::Rejected(rejection) => rejection,
            other => other.as_rejection(),
        }
    }

    /// What it means where no plugin's code has run yet.
    pub(crate) fn before_any_plugin(self) -> Self {
        match self {
            Self::Died(death) => Self::NoHost(format!("it {death}")),
            Self::Interrupted | Self::NoHost(_) => self,
            other => Self::NoHost(other.to_string()),
        }
    }

    /// The failure that a host's answer tells, if it does; else the answer.
    pub(crate) fn if_told(answer: Answer) -> Result<Answer, Self> {
        match answer {
            Answer::Rejected {
                reason,
                help,
                details,
                panicked,
                missing,
            } => {
                if let Some(details) = details {
                    log::debug!("{details}");
                }
                Err(Self::Rejected(Rejection::Elsewhere {
                    reason,
                    help,
                    crashed: panicked,
                    missing,
                }))
            }
            Answer::Invalid(errors) => Err(Self::Invalid(errors)),
            Answer::Failed(fault) => Err(Self::Fault(fault)),
            answer => Ok(answer),
        }
    }

    pub(crate) fn unsendable(error: &io::Error) -> Self {
        Self::Unsendable(error.to_string())
    }

    pub(crate) fn unexpected(answer: &Answer) -> Self {
        Self::Garbled(format!("it gave an answer to another question: {answer:?}"))
    }
}
