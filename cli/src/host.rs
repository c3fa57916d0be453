//! The hidden command `plugin-host`, as which this program starts itself.

use crate::{exit::Exit, report::note};
use log::LevelFilter;
use std::{ffi::OsString, process::ExitCode};
use taskbay_core::Confinement;
use taskbay_worker::{HostProgram, ServeOptions, Surroundings, serve};

/// The command's name.
const COMMAND: &str = "plugin-host";

/// This program as plugin host.
pub(crate) fn program() -> HostProgram {
    HostProgram {
        // The running program itself, also when its file has been replaced since.
        program: "/proc/self/exe".into(),
        arguments: vec![COMMAND.into()],
        has_only_hosts: true,
        surroundings: Surroundings::default(),
    }
}

/// Is a plugin host to the end, if the arguments say so.
pub(crate) fn serve_if_asked(mut arguments: impl Iterator<Item = OsString>) -> Option<ExitCode> {
    arguments.next();
    if arguments.next()? != COMMAND {
        return None;
    }
    let served = options(arguments).map(serve);
    Some(match served {
        Some(Ok(())) => Exit::Success.into(),
        // Its parent says so, as the cause of what it could not do.
        Some(Err(error)) => {
            note(&error.to_string());
            Exit::Unavailable.into()
        }
        // Nobody starts it by hand.
        None => Exit::Usage.into(),
    })
}

fn options(arguments: impl Iterator<Item = OsString>) -> Option<ServeOptions> {
    let mut options = ServeOptions {
        parent: 0,
        level: LevelFilter::Warn,
        confinement: Confinement::None,
    };
    for argument in arguments {
        let argument = argument.into_string().ok()?;
        match argument.split_once('=') {
            Some(("--parent", pid)) => options.parent = pid.parse().ok()?,
            Some(("--level", level)) => options.level = level.parse().ok()?,
            Some(("--confinement", text)) => {
                options.confinement = Confinement::from(text);
                if options.confinement.as_str() != text {
                    return None;
                }
            }
            _ => return None,
        }
    }
    Some(options)
}
