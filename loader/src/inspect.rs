//! Reading a candidate's manifest. None of its code runs, and no more than its head is read.

use crate::{
    Candidate, FileIdentity, TrustError, TrustPolicy,
    note_reader::{MACHINE, read_manifest},
    trust,
};
use rustix::{
    fs::{FileType, Mode, OFlags, fstat, open},
    io::Errno,
};
use std::{io, path::PathBuf};
use taskbay_core::{MANIFEST_FORMAT, Manifest, ManifestError};
use taskbay_plugin_api::host::NOTE_OWNER;

/// A file whose manifest was read.
#[derive(Clone, Debug)]
pub struct Inspected {
    pub(crate) path: PathBuf,
    pub(crate) resolved: PathBuf,
    pub(crate) identity: FileIdentity,
    pub(crate) manifest: Manifest,
}

/// Why a file has no manifest to go by.
#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    /// It cannot be opened or read.
    #[error("it cannot be read: {0}")]
    Unreadable(io::Error),
    /// It is a link to nothing.
    #[error("it is a symbolic link that leads nowhere: {0}")]
    DanglingLink(io::Error),
    /// It is a FIFO, a directory, or something else that is no regular file.
    #[error("it is {0}, not a regular file")]
    NotRegular(&'static str),
    /// Others may replace it.
    #[error(transparent)]
    Untrusted(#[from] TrustError),
    /// It does not start as ELF files do.
    #[error("it is no shared library: it does not start with an ELF header")]
    NotElf,
    /// It is an ELF file of another kind.
    #[error("it is {0}, not a 64-bit shared library in this machine's byte order")]
    OtherElf(&'static str),
    /// It is for another machine.
    #[error("it was built for another machine (ELF machine {found}, this host is {MACHINE})", MACHINE = MACHINE.0)]
    Machine {
        /// The number that ELF gives to it.
        found: u16,
    },
    /// It ends before it should.
    #[error("it is truncated: it has {size} bytes, and its headers speak of {wanted}")]
    Truncated {
        /// Its size in bytes.
        size: u64,
        /// Where the furthest segment ends.
        wanted: u64,
    },
    /// Its headers contradict themselves.
    #[error("its ELF headers are malformed: {0}")]
    Malformed(String),
    /// There is no note of ours.
    #[error("it is a shared library, but no Taskbay plugin: it has no `{NOTE_OWNER}` note")]
    NoNote,
    /// There is more than one.
    #[error("it has {0} `{NOTE_OWNER}` notes, and a plugin has one")]
    ManyNotes(usize),
    /// The manifest is of a newer form.
    #[error("its manifest has format {0}, and this host reads format {MANIFEST_FORMAT}")]
    Format(u32),
    /// The manifest is malformed.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl InspectError {
    /// What to do about it.
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable(_) => "make it readable for this user (`chmod a+r`), or remove it",
            Self::DanglingLink(_) => "remove the link, or restore the file that it names",
            Self::NotRegular(_) | Self::NotElf | Self::OtherElf(_) => {
                "remove it, or move it out of the plugin directory"
            }
            Self::Untrusted(error) => return error.help(),
            Self::Machine { .. } => "install the package built for this machine's architecture",
            Self::Truncated { .. } | Self::Malformed(_) => {
                "copy it again: write it under another name, then rename it"
            }
            Self::NoNote => {
                "export a task with `export_task!`, or move the file out of the plugin directory"
            }
            Self::ManyNotes(_) => "export one task per plugin",
            Self::Format(_) => {
                "use a newer host, or rebuild the plugin against this host's taskbay-plugin-api"
            }
            Self::Manifest(_) => "rebuild it with `export_task!` of taskbay-plugin-api",
        }
        .to_owned()
    }
}

/// Reads the manifest of a candidate.
///
/// # Errors
///
/// When it has none, or the file is not one to be trusted.
pub fn inspect(candidate: &Candidate, policy: TrustPolicy) -> Result<Inspected, InspectError> {
    let (resolved, folders) = if candidate.is_link {
        let (resolved, folders) = trust::resolve(&candidate.path, policy).map_err(|error| {
            match candidate.path.symlink_metadata() {
                Ok(found) if found.is_symlink() => InspectError::DanglingLink(error),
                _ => InspectError::Unreadable(error),
            }
        })?;
        // Whoever may replace the link decides as much as whoever may replace its target.
        let folders = candidate.folders.clone().and(folders.map_err(Into::into));
        (resolved, folders)
    } else {
        (candidate.resolved.clone(), candidate.folders.clone())
    };
    // Not blocking: opening a FIFO would wait for a writer.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = open(&resolved, flags, Mode::empty()).map_err(|error| match error {
        Errno::NXIO => InspectError::NotRegular("a socket"),
        error => InspectError::Unreadable(error.into()),
    })?;
    let status = fstat(&file).map_err(unreadable)?;
    let kind = FileType::from_raw_mode(status.st_mode);
    if kind != FileType::RegularFile {
        return Err(InspectError::NotRegular(name_of(kind)));
    }
    folders.map_err(|error| TrustError::clone(&error))?;
    policy.check_file(&resolved, &status)?;
    let identity = FileIdentity::of(&status);
    let manifest = read_manifest(&file, identity.size())?;
    Ok(Inspected {
        path: candidate.path.clone(),
        resolved,
        identity,
        manifest,
    })
}

/// Reads the manifest in the bytes of a plugin file, as [`inspect`] does where they lie in one.
///
/// # Errors
///
/// When they hold none.
pub fn inspect_bytes(bytes: &[u8]) -> Result<Manifest, InspectError> {
    read_manifest(bytes, bytes.len() as u64)
}

fn unreadable(error: Errno) -> InspectError {
    InspectError::Unreadable(error.into())
}

fn name_of(kind: FileType) -> &'static str {
    match kind {
        FileType::Directory => "a directory",
        FileType::Fifo => "a FIFO",
        FileType::Socket => "a socket",
        FileType::CharacterDevice | FileType::BlockDevice => "a device",
        _ => "something else",
    }
}
