//! The ELF note that holds a plugin's manifest, written by the compiler and read before any code runs.
#![expect(
    clippy::cast_possible_truncation,
    reason = "this runs in constants, where `try_into` is not to be had"
)]

use taskbay_core::{ApiVersion, MANIFEST_FORMAT, Task, is_task_name};

/// The owner name of the note.
pub const NOTE_OWNER: &str = "Taskbay";

/// An ELF note: header, owner, and `N` bytes of content.
#[repr(C, align(4))]
#[derive(Debug)]
pub struct Note<const N: usize> {
    owner_size: u32,
    content_size: u32,
    format: u32,
    owner: [u8; 8],
    content: [u8; N],
}

/// The manifest as the pieces of its JSON text.
#[derive(Debug)]
pub struct ManifestText {
    name: &'static str,
    version: Decimal,
    package: &'static str,
    package_version: &'static str,
    panic: &'static str,
    interface: Decimal,
}

/// The version of this interface.
pub const fn api_version() -> ApiVersion {
    ApiVersion {
        major: number(env!("CARGO_PKG_VERSION_MAJOR")),
        minor: number(env!("CARGO_PKG_VERSION_MINOR")),
        patch: number(env!("CARGO_PKG_VERSION_PATCH")),
    }
}

impl ManifestText {
    /// The manifest of the task `T`, built from that package, with or without unwinding on panics.
    ///
    /// # Panics
    ///
    /// In a constant, so that it does not compile: when the task's name is not allowed, the panic strategy is not
    /// unwinding, or the package's name and version are no plain words.
    pub const fn of<T: Task>(
        package: &'static str,
        package_version: &'static str,
        unwinds: bool,
    ) -> Self {
        assert!(
            is_task_name(T::NAME),
            "Task::NAME must be 1 to 64 ASCII lower case letters, digits, `_` or `-`"
        );
        assert!(
            unwinds,
            "a plugin must be built with panic = \"unwind\": with \"abort\", a panic would end its host"
        );
        assert!(
            is_plain(package),
            "the package name would break the manifest"
        );
        assert!(
            is_plain(package_version),
            "the package version would break the manifest"
        );
        Self {
            name: T::NAME,
            version: Decimal::of(T::VERSION as u64),
            package,
            package_version,
            panic: if unwinds { "unwind" } else { "abort" },
            interface: Decimal::of(crate::abi::INTERFACE_FINGERPRINT),
        }
    }

    /// How long the text is, in bytes.
    pub const fn size(&self) -> usize {
        let mut len = 0;
        let mut i = 0;
        while i < PIECES {
            len += self.piece(i).len();
            i += 1;
        }
        len
    }

    /// The note that holds the text; `N` must be [`size`](Self::size) rounded up to four bytes.
    pub const fn note<const N: usize>(&self) -> Note<N> {
        let mut content = [0; N];
        let mut at = 0;
        let mut i = 0;
        while i < PIECES {
            let piece = self.piece(i);
            let mut j = 0;
            while j < piece.len() {
                content[at] = piece[j];
                at += 1;
                j += 1;
            }
            i += 1;
        }
        let owner = *b"Taskbay\0";
        Note {
            owner_size: owner.len() as u32,
            content_size: at as u32,
            format: MANIFEST_FORMAT,
            owner,
            content,
        }
    }

    const fn piece(&self, i: usize) -> &[u8] {
        match i {
            0 => b"{\"name\":\"",
            1 => self.name.as_bytes(),
            2 => b"\",\"version\":",
            3 => self.version.digits(),
            4 => concat!(
                ",\"api\":\"",
                env!("CARGO_PKG_VERSION"),
                "\",\"package\":\""
            )
            .as_bytes(),
            5 => self.package.as_bytes(),
            6 => b"\",\"package_version\":\"",
            7 => self.package_version.as_bytes(),
            8 => b"\",\"panic\":\"",
            9 => self.panic.as_bytes(),
            10 => b"\",\"interface\":\"",
            11 => self.interface.digits(),
            _ => b"\"}",
        }
    }
}

/// How many pieces there are.
const PIECES: usize = 13;

impl<const N: usize> Note<N> {
    /// The manifest's text.
    #[cfg(test)]
    fn text(&self) -> &[u8] {
        &self.content[..self.content_size as usize]
    }
}

/// A number in decimal digits, in a constant.
#[derive(Debug)]
struct Decimal {
    bytes: [u8; 20],
    start: usize,
}

impl Decimal {
    const fn of(mut number: u64) -> Self {
        let mut bytes = [0; 20];
        let mut start = 20;
        loop {
            start -= 1;
            bytes[start] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                return Self { bytes, start };
            }
        }
    }

    const fn digits(&self) -> &[u8] {
        self.bytes.split_at(self.start).1
    }
}

/// Whether the text needs no escapes inside a JSON string.
const fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut i = 0;
    while i < bytes.len() {
        if !bytes[i].is_ascii_graphic() || bytes[i] == b'"' || bytes[i] == b'\\' {
            return false;
        }
        i += 1;
    }
    true
}

/// The number that a text of digits says.
const fn number(text: &str) -> u32 {
    let bytes = text.as_bytes();
    let mut number = 0;
    let mut i = 0;
    while i < bytes.len() {
        number = number * 10 + (bytes[i] - b'0') as u32;
        i += 1;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemars::JsonSchema;
    use serde::{Deserialize, Serialize};
    use taskbay_core::{Context, Manifest, PanicStrategy, TaskError};

    #[derive(Deserialize, Serialize, JsonSchema)]
    struct Nothing {}

    impl Task for Nothing {
        const NAME: &'static str = "no-thing_9";
        const VERSION: u32 = 4_294_967_295;

        fn execute(&self, _: &Context) -> Result<bool, TaskError> {
            Ok(true)
        }
    }

    #[test]
    fn what_the_compiler_writes_is_what_the_host_reads() {
        const TEXT: ManifestText =
            ManifestText::of::<Nothing>("taskbay-task-x", "0.1.0+deb12~1", true);
        static NOTE: Note<{ TEXT.size().next_multiple_of(4) }> = TEXT.note();
        let manifest = Manifest::parse(NOTE.text()).unwrap();
        assert_eq!(
            manifest,
            Manifest {
                name: "no-thing_9".into(),
                version: u32::MAX,
                api: api_version(),
                package: "taskbay-task-x".into(),
                package_version: "0.1.0+deb12~1".into(),
                panic: PanicStrategy::Unwind,
                interface: crate::abi::INTERFACE_FINGERPRINT.to_string(),
            }
        );
        assert_eq!(api_version().to_string(), env!("CARGO_PKG_VERSION"));
    }

    #[test]
    fn only_texts_without_escapes_are_plain() {
        assert!(is_plain("taskbay-task-noop"));
        for wrong in ["a\"b", "a\\b", "a b", "a\nb", "ü"] {
            assert!(!is_plain(wrong), "{wrong}");
        }
    }
}
