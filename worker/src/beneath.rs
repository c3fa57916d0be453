//! What lies below a directory: opened so that no link leads elsewhere, also where somebody changes it meanwhile.

use rustix::{
    fs::{CWD, FileType, Mode, OFlags, fstat, mkdirat, openat, renameat},
    io::Errno,
};
use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::{Component, Path, PathBuf},
};

/// Names a place, and opens nothing: neither is a device woken, nor a FIFO waited for.
const PLACE: OFlags = OFlags::PATH.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
const DIRECTORY: OFlags = PLACE.union(OFlags::DIRECTORY);

/// A directory, and what lies below it.
#[derive(Debug)]
pub(crate) struct Beneath {
    top: OwnedFd,
    /// Its path without links.
    path: PathBuf,
}

impl Beneath {
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        let path = directory.canonicalize()?;
        let top = openat(CWD, &path, DIRECTORY, Mode::empty())?;
        Ok(Self { top, path })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The directory at `path`, which may be relative. None where it lies elsewhere.
    pub(crate) fn directory(&self, path: &Path) -> io::Result<Option<Place>> {
        let Some(inner) = self.inner(path)? else {
            return Ok(None);
        };
        Ok(Some(Place(self.walk(&inner)?)))
    }

    /// The file, of whatever kind, at `path`, which may be relative, and its kind. None where it lies elsewhere.
    pub(crate) fn file(&self, path: &Path) -> io::Result<Option<(OwnedFd, FileType)>> {
        let Some(inner) = self.inner(path)? else {
            return Ok(None);
        };
        let Some(name) = inner.file_name() else {
            return Ok(Some((self.top.try_clone()?, FileType::Directory)));
        };
        let folder = self.walk(inner.parent().unwrap_or(Path::new("")))?;
        let file = openat(&folder, name, PLACE, Mode::empty())?;
        let kind = FileType::from_raw_mode(fstat(&file)?.st_mode);
        Ok(Some((file, kind)))
    }

    /// What `path` leads to, as a path of plain parts below the top, which has no links as long as nobody makes one.
    fn inner(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let real = self.path.join(path).canonicalize()?;
        Ok(real.strip_prefix(&self.path).ok().map(Path::to_owned))
    }

    fn walk(&self, inner: &Path) -> io::Result<OwnedFd> {
        let mut folder = self.top.try_clone()?;
        for part in inner.components() {
            folder = open_part(folder.as_fd(), part)?;
        }
        Ok(folder)
    }
}

/// A directory that is held, wherever it is moved.
#[derive(Debug)]
pub(crate) struct Place(OwnedFd);

impl Place {
    /// Moves `file`, of the same file system, to `name`: plain parts, whose folders are made where they are missing. What
    /// has that name is replaced, be it a link.
    pub(crate) fn take(&self, file: &Path, name: &Path) -> io::Result<()> {
        let mut folder = self.0.try_clone()?;
        for part in name.parent().unwrap_or(Path::new("")).components() {
            match mkdirat(&folder, part.as_os_str(), Mode::from_raw_mode(0o777)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
            folder = open_part(folder.as_fd(), part)?;
        }
        let last = name.file_name().ok_or(io::ErrorKind::InvalidInput)?;
        Ok(renameat(CWD, file, &folder, last)?)
    }
}

fn open_part(folder: BorrowedFd<'_>, part: Component<'_>) -> io::Result<OwnedFd> {
    match part {
        Component::Normal(name) => Ok(openat(folder, name, DIRECTORY, Mode::empty())?),
        _ => Err(io::ErrorKind::InvalidInput.into()),
    }
}
