//! An artifact's files, fetched into a folder.

use crate::{
    artifact_info::{ArtifactInfo, FileInfo},
    client::{Client, Login},
    fault::Fault,
    hashed::Hashed,
};
use flate2::read::GzDecoder;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read},
    path::Path,
};
use taskbay_engine::PartFile;

/// Fetches an artifact's files into a folder. Whatever interrupts it, a file that has its name is whole, and what is there
/// already is not fetched again.
#[derive(Debug)]
pub(crate) struct Download<'d> {
    pub(crate) client: &'d Client,
    pub(crate) login: &'d Login,
    pub(crate) directory: &'d Path,
    /// The files that are there.
    done: BTreeSet<String>,
    /// What is there of the file that was being fetched.
    part: Option<Part>,
    is_tarball_tried: bool,
}

/// A file that comes in.
#[derive(Debug)]
struct Part {
    name: String,
    file: PartFile,
    content: Hashed<File>,
}

impl<'d> Download<'d> {
    pub(crate) fn new(client: &'d Client, login: &'d Login, directory: &'d Path) -> Self {
        Self {
            client,
            login,
            directory,
            done: BTreeSet::new(),
            part: None,
            is_tarball_tried: false,
        }
    }

    /// Fetches what is not there yet. Where that fails for a while, it goes on where it was when it is called again.
    pub(crate) fn go_on(&mut self, info: &ArtifactInfo) -> Result<(), Fault> {
        if info.is_fetched_at_once() && !self.is_tarball_tried {
            self.is_tarball_tried = true;
            // What was cut is fetched file by file.
            self.tarball(info)?;
        }
        for (name, file) in &info.files {
            if !self.done.contains(name) {
                self.file(name, file)?;
            }
        }
        Ok(())
    }

    /// Fetches one file, from where it was cut.
    fn file(&mut self, name: &str, file: &FileInfo) -> Result<(), Fault> {
        let what = || format!("GET of `{name}`");
        let url = file
            .url
            .as_deref()
            .ok_or_else(|| Fault::malformed(what(), "the server says no address of it"))?;
        let kept = self.part.take().filter(|part| part.name == name);
        let mut part = match kept {
            Some(part) => part,
            None => Part::new(name, &self.directory.join(name))?,
        };
        let mut response = self
            .client
            .fetch(url, self.login, part.content.size(), file.size)?;
        if response.status() != 206 {
            // All of it, from the start.
            part.begin_again()?;
        }
        let left = file.size - part.content.size().min(file.size);
        let mut body = response.body_mut().as_reader().take(left + 1);
        let copied = part.take_in(&mut body);
        match copied {
            Ok(()) if part.content.size() < file.size => {
                let cut = io::Error::from(io::ErrorKind::UnexpectedEof);
                self.part = Some(part);
                Err(self.client.transport(&what(), cut.into()))
            }
            Ok(()) => {
                part.place(file, &self.directory.join(name))?;
                self.done.insert(name.to_owned());
                Ok(())
            }
            Err(Copying::Line(error)) => {
                self.part = Some(part);
                Err(self.client.transport(&what(), error.into()))
            }
            Err(Copying::Disk(error)) => Err(Fault::local(part.file.path(), error)),
        }
    }

    /// Fetches all files at once.
    fn tarball(&mut self, info: &ArtifactInfo) -> Result<(), Fault> {
        let url = info.download_tar_gz_url.as_deref().unwrap_or_default();
        let whole = info.files.values().map(|file| file.size).sum();
        let mut response = self.client.fetch(url, self.login, 0, whole)?;
        let transport = |error: io::Error| self.client.transport("GET of a tarball", error.into());
        // Headers, padding, and files that are not the artifact's come on top.
        let most = whole + (4096 * (info.files.len() as u64 + 4));
        let unpacked = GzDecoder::new(response.body_mut().as_reader()).take(most);
        let mut archive = tar::Archive::new(unpacked);
        for entry in archive.entries().map_err(transport)? {
            let mut entry = entry.map_err(transport)?;
            if entry.header().entry_type().is_dir() {
                continue;
            }
            let name = entry
                .path()
                .map_err(transport)?
                .to_string_lossy()
                .into_owned();
            let name = name.trim_start_matches("./");
            let unexpected = |reason: &str| {
                Fault::malformed(
                    format!("the tarball of artifact {}", info.id),
                    format!("`{}` {reason}", taskbay_core::shorten(name, 200)),
                )
            };
            let file = info.files.get(name);
            let file = file.ok_or_else(|| unexpected("is no file of the artifact"))?;
            if !entry.header().entry_type().is_file() || entry.size() != file.size {
                return Err(unexpected("is not the file that the artifact has"));
            }
            let path = self.directory.join(name);
            let mut part = Part::new(name, &path)?;
            match part.take_in(&mut entry) {
                Ok(()) => part.place(file, &path)?,
                Err(Copying::Line(error)) => return Err(transport(error)),
                Err(Copying::Disk(error)) => return Err(Fault::local(part.file.path(), error)),
            }
            self.done.insert(name.to_owned());
        }
        Ok(())
    }
}

/// What failed while a file came in.
enum Copying {
    Line(io::Error),
    Disk(io::Error),
}

impl Part {
    /// A new file beside `path`, where nothing has that name.
    fn new(name: &str, path: &Path) -> Result<Self, Fault> {
        let make = || -> io::Result<(PartFile, File)> {
            fs::create_dir_all(path.parent().unwrap_or(path))?;
            PartFile::beside(path)
        };
        let (file, content) = make().map_err(|error| Fault::local(path, error))?;
        Ok(Self {
            name: name.to_owned(),
            file,
            content: Hashed::new(content),
        })
    }

    fn begin_again(&mut self) -> Result<(), Fault> {
        let path = self.file.path();
        let file = File::create(path).map_err(|error| Fault::local(path, error))?;
        self.content = Hashed::new(file);
        Ok(())
    }

    /// Takes in what comes.
    fn take_in(&mut self, from: &mut dyn Read) -> Result<(), Copying> {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let count = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Copying::Line(error)),
            };
            self.content
                .write_all(&buffer[..count])
                .map_err(Copying::Disk)?;
        }
    }

    /// Gives it its name, if it is what the server said.
    fn place(self, file: &FileInfo, path: &Path) -> Result<(), Fault> {
        let size = self.content.size();
        let damaged = |reason: String| Fault::malformed(format!("GET of `{}`", self.name), reason);
        if size != file.size {
            let wanted = file.size;
            return Err(damaged(format!(
                "it has {size} bytes in the place of {wanted}"
            )));
        }
        if file
            .sha256()
            .is_some_and(|hash| hash != self.content.sha256())
        {
            return Err(damaged("it is damaged: its SHA-256 is another".to_owned()));
        }
        self.file
            .place(path)
            .map_err(|error| Fault::local(path, error))
    }
}

#[cfg(test)]
mod tests;
