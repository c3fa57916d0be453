//! The source package, while it is put together.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitStatus},
};
use taskbay_debian::{
    ControlFile, Executor, SigningTemplate, changes_name, option_with_path, read_bounded,
};
use taskbay_plugin_api::TaskError;

/// The only format of a source package that takes signatures without a further tarball.
const FORMAT: &str = "3.0 (native)";
/// What would make dpkg-source do more than it is asked for, and what comes from elsewhere.
const REFUSED: [&str; 3] = [
    "debian/source/options",
    "debian/source/local-options",
    "debian/signatures",
];

/// More than any name or format has, in bytes.
const LIMIT: u64 = 64 << 10;

/// A source tree where the commands of an executor run, and what is made of it beside it.
#[derive(Debug)]
pub(crate) struct Assembly<'a> {
    executor: &'a Executor<'a>,
    top: PathBuf,
    tree: PathBuf,
}

impl<'a> Assembly<'a> {
    /// Copies the source tree of a template, which must be one that can be trusted with dpkg's tools.
    pub(crate) fn of_template(
        executor: &'a Executor<'_>,
        template: &SigningTemplate,
    ) -> Result<Self, TaskError> {
        let source = template.path("source-template");
        let source = template.package.directory(executor, &source)?;
        let format = template.path("source-template/debian/source/format");
        let format = template.package.take(executor, &format, "format")?;
        let format = read_bounded(&format, LIMIT)?;
        if format.strip_suffix('\n').unwrap_or(&format) != FORMAT {
            let found = format.trim();
            return Err(untrusted(&format!(
                "is a source package of the format `{found}`, and must be `{FORMAT}`"
            )));
        }
        let top = executor.scratch("assembled");
        let tree = top.join("source");
        executor.must(Command::new("mkdir").arg(&top))?;
        let mut copy = Command::new("cp");
        copy.args([
            "--recursive",
            "--no-dereference",
            "--preserve=mode,timestamps",
        ]);
        executor.must(copy.arg(source.join(".")).arg(&tree))?;
        let assembly = Self {
            executor,
            top,
            tree,
        };
        assembly.refuse_links()?;
        for path in REFUSED {
            let mut test = Command::new("test");
            if executor
                .run(test.arg("-e").arg(assembly.tree.join(path)))?
                .success()
            {
                return Err(untrusted(&format!("has `{path}`")));
            }
        }
        Ok(assembly)
    }

    /// No link leads out of the tree: through one, commands would read and write elsewhere. All of the tree is looked at,
    /// since `debian`, or a folder of it, can be a link to another part.
    fn refuse_links(&self) -> Result<(), TaskError> {
        let mut find = Command::new("find");
        find.arg(&self.tree);
        find.args(["-type", "l", "-exec", "realpath", "--canonicalize-missing"]);
        find.arg(option_with_path("--relative-base=", &self.tree));
        find.args(["{}", "+"]);
        let found = self.executor.work_directory().join("links");
        self.executor.must_to_file(&find, &found)?;
        let found = fs::read(found)?;
        // What is outside is told with its whole path.
        if found
            .split(|byte| *byte == b'\n')
            .any(|line| line.starts_with(b"/"))
        {
            return Err(untrusted("has a link that leads out of it"));
        }
        Ok(())
    }

    /// Puts the signature of `name` where the source package looks for it.
    pub(crate) fn add_signature(&self, name: &str, signature: &Path) -> Result<(), TaskError> {
        let place = self.tree.join(format!("debian/signatures/{name}.sig"));
        let mut install = Command::new("install");
        install.args(["-D", "--mode=644"]);
        self.executor.must(install.arg(signature).arg(place))
    }

    /// Packs it, with `dpkg-source`.
    pub(crate) fn build(&self) -> Result<ExitStatus, TaskError> {
        let mut build = self.in_tree("dpkg-source");
        self.executor.run(build.args(["-b", "."]))
    }

    /// Brings what was packed to the work directory, and says which file is the `.dsc`.
    pub(crate) fn take_source_package(&self) -> Result<PathBuf, TaskError> {
        let mut find = Command::new("find");
        find.arg(&self.top);
        find.args([
            "-maxdepth",
            "1",
            "-type",
            "f",
            "-name",
            "*.dsc",
            "-printf",
            "%f",
        ]);
        let found = self.executor.work_directory().join("dsc-name");
        self.executor.must_to_file(&find, &found)?;
        let name = read_bounded(&found, LIMIT)?;
        let dsc = self.take(&name)?;
        let members = ControlFile::read(&dsc)?.members()?;
        // Each stands there once for each kind of sum.
        for name in members
            .into_iter()
            .map(|member| member.name)
            .collect::<BTreeSet<_>>()
        {
            self.take(&name)?;
        }
        Ok(dsc)
    }

    fn take(&self, name: &str) -> Result<PathBuf, TaskError> {
        let file = self.executor.directory("output")?.join(name);
        let mut print = Command::new("cat");
        self.executor
            .must_to_file(print.arg(self.top.join(name)), &file)?;
        Ok(file)
    }

    /// Writes the `.changes` of an upload, with `dpkg-genchanges`, beside the `.dsc`.
    pub(crate) fn describe_upload(&self, dsc: &Path) -> Result<(ExitStatus, PathBuf), TaskError> {
        let name = changes_name(&ControlFile::read(dsc)?, "source")?;
        let changes = dsc.with_file_name(name);
        let mut generate = self.in_tree("dpkg-genchanges");
        generate.arg("-S").arg(option_with_path("-u", &self.top));
        let status = self.executor.run_to_file(&generate, &changes)?;
        Ok((status, changes))
    }

    /// A command that starts in the tree.
    fn in_tree(&self, program: &str) -> Command {
        let mut command = Command::new("env");
        command
            .arg(option_with_path("--chdir=", &self.tree))
            .arg(program);
        command
    }
}

fn untrusted(why: &str) -> TaskError {
    TaskError::new(format!(
        "the template's source-template {why}; correct the template package"
    ))
}
