//! An artifact, given to a server.

use crate::{
    answer::Answer,
    artifact_info::{ArtifactInfo, is_plain},
    client::{Client, Login},
    fault::Fault,
    hashed::Hashed,
};
use serde_json::{Map, Value, json};
use std::{
    fmt::Write as _,
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
};
use taskbay_core::ArtifactId;
use taskbay_engine::limits::{LONGEST_DOCUMENT, MOST_FILES};
use ureq::http::Method;

/// The most bytes of a file that go at once.
const LARGEST_PART: u64 = 50 << 20;
/// How often a file is begun again that the server holds to be another.
const TRIES: u32 = 3;

/// An artifact that a server does not have yet.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub(crate) category: String,
    pub(crate) data: Value,
    /// Its files: the name of each, and where it is.
    pub(crate) files: Vec<(String, PathBuf)>,
}

/// An artifact that is being given to a server.
#[derive(Debug)]
pub(crate) struct Upload<'u> {
    pub(crate) client: &'u Client,
    pub(crate) login: &'u Login,
    draft: &'u Draft,
    document: Value,
    /// What the server knows of it; none before it was created.
    created: Option<ArtifactInfo>,
    /// How many of the files that the server wants it has.
    sent: usize,
    tries: u32,
}

impl<'u> Upload<'u> {
    /// Reads the files, for their sizes and hashes.
    pub(crate) fn new(
        client: &'u Client,
        login: &'u Login,
        draft: &'u Draft,
        (request, workspace): (i64, &str),
    ) -> Result<Self, Fault> {
        if draft.files.len() > MOST_FILES {
            let reason = format!("it has more than {MOST_FILES} files");
            return Err(Fault::malformed("a new artifact", reason));
        }
        let mut files = Map::new();
        for (name, path) in &draft.files {
            if !is_plain(name) {
                let reason = format!(
                    "`{}` can be no file's name in it",
                    taskbay_core::escape(name)
                );
                return Err(Fault::malformed("a new artifact", reason));
            }
            files.insert(name.clone(), described(path)?);
        }
        let data = match &draft.data {
            Value::Null => json!({}),
            data => data.clone(),
        };
        if data.to_string().len() > LONGEST_DOCUMENT {
            let reason = format!("its data has more than {LONGEST_DOCUMENT} bytes");
            return Err(Fault::malformed("a new artifact", reason));
        }
        Ok(Self {
            client,
            login,
            draft,
            document: json!({
                "category": draft.category,
                "workspace": workspace,
                "files": files,
                "data": data,
                "work_request": request,
                "expire_at": null,
            }),
            created: None,
            sent: 0,
            tries: 0,
        })
    }

    /// Goes on with the artifact of that number, where the server has it, and it is of the same files.
    pub(crate) fn resume(&mut self, id: ArtifactId) -> Result<(), Fault> {
        let path = format!("/1.0/artifact/{id}/");
        let answer = self.client.call(Method::GET, &path, self.login)?;
        if answer.status == 404 {
            return Ok(());
        }
        let info: ArtifactInfo = answer.expect(&[200], self.client.url())?.json()?;
        if info.id == id && self.is_of(&info) {
            self.created = Some(self.checked(info)?);
        }
        Ok(())
    }

    /// Makes it on the server, without its files, and gives its number. Once.
    pub(crate) fn begin(&mut self) -> Result<ArtifactId, Fault> {
        if let Some(info) = &self.created {
            return Ok(info.id);
        }
        let info = self.create()?;
        let id = info.id;
        self.created = Some(info);
        Ok(id)
    }

    /// Whether the server has all of it, as far as it said.
    pub(crate) fn is_whole(&self) -> bool {
        let wanted = self.created.as_ref().map(|info| &info.files_to_upload);
        wanted.is_some_and(Vec::is_empty)
    }

    /// Gives what the server does not have yet, and its number. Where that fails for a while, it goes on where it was when it
    /// is called again.
    pub(crate) fn go_on(&mut self) -> Result<ArtifactId, Fault> {
        let id = self.begin()?;
        let created = self.created.iter();
        let wanted: Vec<_> = created
            .flat_map(|info| info.files_to_upload.clone())
            .collect();
        while let Some(name) = wanted.get(self.sent) {
            self.send(id, name)?;
            self.sent += 1;
            self.tries = 0;
        }
        Ok(id)
    }

    fn create(&self) -> Result<ArtifactInfo, Fault> {
        let answer = self
            .client
            .send(Method::POST, "/1.0/artifact/", self.login, &self.document)?
            .expect(&[201], self.client.url())?;
        self.checked(answer.json()?)
    }

    /// Whether it has the same files.
    fn is_of(&self, info: &ArtifactInfo) -> bool {
        let ours = &self.document["files"];
        info.files.len() == self.draft.files.len()
            && info.files.iter().all(|(name, file)| {
                let hash = ours[name]["checksums"]["sha256"].as_str();
                ours[name]["size"] == file.size && hash == file.sha256()
            })
    }

    /// Refuses one of which files are wanted that it does not have.
    fn checked(&self, mut info: ArtifactInfo) -> Result<ArtifactInfo, Fault> {
        info.files_to_upload.sort();
        let is_ours = |name: &String| self.draft.files.iter().any(|(ours, _)| ours == name);
        match info.files_to_upload.iter().find(|name| !is_ours(name)) {
            None => Ok(info),
            Some(name) => {
                let name = taskbay_core::shorten(name, 200);
                let reason = format!("it wants `{name}`, which is no file of the artifact");
                Err(Fault::malformed("a new artifact", reason))
            }
        }
    }

    /// Sends what the server does not have of a file.
    fn send(&mut self, id: ArtifactId, name: &str) -> Result<(), Fault> {
        let files = &self.draft.files;
        let (_, path) = files
            .iter()
            .find(|(ours, _)| ours == name)
            .expect("what is wanted is one of the draft's files");
        let size = self.document["files"][name]["size"].as_u64().unwrap_or(0);
        let address = format!("/1.0/artifact/{id}/files/{}/", escaped(name));
        let status = format!("bytes */{size}");
        let mut answer =
            self.client
                .send_part(&address, self.login, &status, 0, &mut std::io::empty())?;
        let mut before = None;
        loop {
            if answer.status == 409 && self.tries + 1 < TRIES {
                self.tries += 1;
                log::warn!(
                    "the server holds `{name}` of artifact {id} to be another; it is sent again"
                );
                // It is asked for from the start, and not whether it is there.
                before = Some(0);
                answer = self.part(&address, path, 0, size)?;
                continue;
            }
            let is_status = before.is_none() || size == 0;
            answer = answer.expect(&[200, 201, 206], self.client.url())?;
            let Some(offset) = next(&answer, is_status)? else {
                return Ok(());
            };
            if offset >= size && size > 0 || before.is_some_and(|before| offset <= before) {
                let reason = format!("it wants byte {offset} of {size}");
                return Err(Fault::malformed(format!("PUT of `{name}`"), reason));
            }
            before = Some(offset);
            answer = self.part(&address, path, offset, size)?;
        }
    }

    /// Sends a part of a file.
    fn part(&self, address: &str, path: &Path, offset: u64, size: u64) -> Result<Answer, Fault> {
        let length = LARGEST_PART.min(size - offset);
        let range = if size == 0 {
            "bytes */0".to_owned()
        } else {
            format!("bytes {offset}-{}/{size}", offset + length - 1)
        };
        let mut file = File::open(path).map_err(|error| Fault::local(path, error))?;
        file.seek(SeekFrom::Start(offset))
            .map_err(|error| Fault::local(path, error))?;
        self.client
            .send_part(address, self.login, &range, length, &mut file.take(length))
    }
}

/// Where the file goes on, as the server says; none where it has all of it.
fn next(answer: &Answer, is_status: bool) -> Result<Option<u64>, Fault> {
    match (answer.status, answer.header("range")) {
        (201, _) => Ok(None),
        (200, _) if is_status => Ok(None),
        (_, Some(range)) => {
            let held = range
                .strip_prefix("bytes=0-")
                .and_then(|held| held.parse().ok());
            let fault = || Fault::malformed("PUT of a file", format!("`{range}` is no range"));
            held.map(Some).ok_or_else(fault)
        }
        (_, None) => Err(Fault::malformed(
            "PUT of a file",
            "it does not say what it has",
        )),
    }
}

/// A file's size and hash.
fn described(path: &Path) -> Result<Value, Fault> {
    let hash = || {
        let mut file = Hashed::new(File::open(path)?);
        file.read_to_end()?;
        Ok(file)
    };
    let file = hash().map_err(|error: std::io::Error| Fault::local(path, error))?;
    Ok(json!({"size": file.size(), "checksums": {"sha256": file.sha256()}, "type": "file"}))
}

/// A name as it stands in an address.
fn escaped(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

#[cfg(test)]
mod tests;
