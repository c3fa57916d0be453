//! What a plugin host and its parent say to each other: frames of JSON, on a socket of their own.

pub(crate) mod check;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    io::{self, Read},
    path::PathBuf,
};
use taskbay_core::{Configured, Metadata, ServerCall, ServerReply, TaskConfigError, Verdict};
use taskbay_loader::FileIdentity;
use taskbay_plugin_api::host::Fault;

impl Answer {
    /// Whether the plugin's code panicked.
    pub(crate) fn tells_of_panic(&self) -> bool {
        match self {
            Self::Failed(fault) => matches!(fault, Fault::Panic { .. } | Fault::Poisoned),
            Self::Rejected { panicked, .. } => *panicked,
            Self::Verdict(verdict) => verdict.has_failed(),
            _ => false,
        }
    }
}

/// The largest frame, in bytes. A plugin that says more fails, and nobody runs out of memory.
pub(crate) const LARGEST_FRAME: usize = 64 * 1024 * 1024;

/// From the parent to a host.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ToHost {
    /// A question, answered by `FromHost::Answer` with the same nonce.
    Ask { nonce: u64, question: Question },
    /// The answer to `FromHost::Call`.
    Reply {
        call: u64,
        reply: Result<ServerReply, String>,
    },
    /// Sets the abort latch.
    Abort,
}

/// From a host to its parent.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FromHost {
    /// The answer to a question.
    Answer {
        nonce: u64,
        answer: Answer,
        /// Whether the host has no children. Whoever believes it looks what comes of the host's end.
        #[serde(default)]
        childless: bool,
    },
    /// A log record.
    Log(LogLine),
    /// A call of the attempt's server.
    Call { call: u64, request: ServerCall },
}

/// What a host can be asked: a plugin is named by the state of its file, so that an older and a newer one of a task can
/// both be loaded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Question {
    /// Are you there?
    Ready,
    /// Load this file.
    Load {
        #[serde(with = "taskbay_core::any_path")]
        file: PathBuf,
        /// The state in which the parent inspected it.
        identity: FileIdentity,
        /// Whether a host of this parent has loaded it in this state before.
        checked: bool,
    },
    /// What does the worker's metadata say of this task?
    Analyze {
        plugin: FileIdentity,
        known: Metadata,
    },
    /// Is this task data valid?
    Configure { plugin: FileIdentity, data: String },
    /// May this worker execute the task with data that `Configure` gave?
    CanRun {
        plugin: FileIdentity,
        data: String,
        worker: Metadata,
    },
    /// What does the task's own code say against this worker, whether or not the task says that it has some?
    OwnCode {
        plugin: FileIdentity,
        data: String,
        worker: Metadata,
    },
    /// Execute the task, in this directory, with data that `Configure` gave.
    Execute {
        plugin: FileIdentity,
        data: String,
        #[serde(with = "taskbay_core::any_path")]
        work_directory: PathBuf,
    },
}

impl Question {
    /// The plugin that it is about, if it is about one.
    pub(crate) fn plugin(&self) -> Option<FileIdentity> {
        match self {
            Self::Ready => None,
            Self::Load { identity, .. } => Some(*identity),
            Self::Analyze { plugin, .. }
            | Self::Configure { plugin, .. }
            | Self::CanRun { plugin, .. }
            | Self::OwnCode { plugin, .. }
            | Self::Execute { plugin, .. } => Some(*plugin),
        }
    }

    /// Whether it gives the plugin task data, which may be what it dies of.
    pub(crate) fn has_task_data(&self) -> bool {
        !matches!(self, Self::Ready | Self::Load { .. } | Self::Analyze { .. })
    }
}

/// What a host answers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    /// To `Ready`.
    Ready {
        /// The environment variables as they are now, as near as text can say them.
        environment: BTreeMap<String, String>,
    },
    /// To `Load`.
    Loaded {
        version: u32,
        /// The schema as text: inside a frame it would have fewer levels left.
        schema: Option<String>,
    },
    /// To `Load`.
    Rejected {
        reason: String,
        help: String,
        details: Option<String>,
        /// Whether the plugin panicked.
        panicked: bool,
        /// The shared library that it needs and that was not found.
        missing: Option<String>,
    },
    /// To `Analyze`.
    Analyzed {
        metadata: Metadata,
        dropped: Vec<String>,
    },
    /// To `Configure`.
    Configured(Configured),
    /// To `CanRun` and `OwnCode`.
    Verdict(Verdict),
    /// To `Execute`: the task's answer, or none where it was aborted before it began.
    Executed(Option<bool>),
    /// To any question about task data.
    Invalid(Vec<TaskConfigError>),
    /// To any question.
    Failed(Fault),
}

/// A log record on its way from a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogLine {
    /// The level as a number: 1 is error.
    pub level: u8,
    pub target: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    /// The task whose plugin said it; none where the host itself did.
    pub task: Option<String>,
    pub message: String,
}

/// A frame: its length as four bytes, the lowest first, then the message as JSON.
///
/// # Errors
///
/// When the message is too large.
pub(crate) fn frame(message: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut frame = vec![0; 4];
    serde_json::to_writer(&mut frame, message)?;
    let length = frame.len() - 4;
    if length > LARGEST_FRAME {
        return Err(io::Error::other(format!(
            "a message has {length} bytes, and {LARGEST_FRAME} are the most that it may have"
        )));
    }
    let length = u32::try_from(length).map_err(io::Error::other)?;
    frame[..4].copy_from_slice(&length.to_le_bytes());
    Ok(frame)
}

/// Reads a frame, waiting for it; none at the end of the stream.
pub(crate) fn read_frame<T: DeserializeOwned>(mut from: impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if let Err(error) = from.read_exact(&mut length) {
        return match error.kind() {
            io::ErrorKind::UnexpectedEof => Ok(None),
            _ => Err(error),
        };
    }
    let mut body = vec![0; frame_length(length)?];
    from.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}

/// Takes a whole frame off the front of `received`, if there is one.
pub(crate) fn take_frame<T: DeserializeOwned>(received: &mut Vec<u8>) -> io::Result<Option<T>> {
    let Some(length) = received.first_chunk::<4>() else {
        return Ok(None);
    };
    let end = 4 + frame_length(*length)?;
    let Some(body) = received.get(4..end) else {
        return Ok(None);
    };
    let message = serde_json::from_slice(body)?;
    received.drain(..end);
    Ok(Some(message))
}

/// Whether a whole frame is at the front of `received`.
pub(crate) fn holds_frame(received: &[u8]) -> bool {
    received
        .first_chunk::<4>()
        .and_then(|length| frame_length(*length).ok())
        .is_some_and(|length| received.len() >= 4 + length)
}

fn frame_length(bytes: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_le_bytes(bytes) as usize;
    if length > LARGEST_FRAME {
        return Err(io::Error::other(format!(
            "a frame claims to have {length} bytes"
        )));
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_arrive_whole_or_not_at_all() {
        let mut sent = Vec::new();
        sent.extend(frame(&"first").unwrap());
        sent.extend(frame(&"second").unwrap());
        let mut received = Vec::new();
        let mut messages = Vec::new();
        for byte in &sent {
            received.push(*byte);
            messages.extend(take_frame::<String>(&mut received).unwrap());
        }
        assert_eq!(messages, ["first", "second"]);
        assert!(holds_frame(&sent));
        assert!(!holds_frame(&sent[..sent.len() / 2 - 2]));
        let mut stream = &sent[..];
        assert_eq!(
            read_frame::<String>(&mut stream).unwrap().as_deref(),
            Some("first")
        );
        assert_eq!(
            read_frame::<String>(&mut stream).unwrap().as_deref(),
            Some("second")
        );
        assert_eq!(read_frame::<String>(&mut stream).unwrap(), None);
    }

    #[test]
    fn a_length_that_is_too_large_is_an_error_before_memory_is_taken() {
        let mut received = vec![0xff; 8];
        assert!(take_frame::<String>(&mut received).is_err());
        assert!(read_frame::<String>(&[0xff; 8][..]).is_err());
    }
}
