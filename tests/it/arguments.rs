//! Flags that mean nothing to a command, and names that look like flags.

use crate::farm::{Farm, root};
use std::process::Command;

/// The flags that say which plugins are used, and how.
const FLAGS: [(&str, &[&str]); 4] = [
    ("--plugin-dir", &["--plugin-dir", "x"]),
    ("--allow-insecure", &["--allow-insecure"]),
    ("--in-process", &["--in-process"]),
    ("--plugin-timeout", &["--plugin-timeout", "3s"]),
];

/// What a command takes of them.
const TAKEN: [(&[&str], &[&str]); 9] = [
    (
        &["list"],
        &[
            "--plugin-dir",
            "--allow-insecure",
            "--in-process",
            "--plugin-timeout",
        ],
    ),
    (&["inspect", "noop"], &["--plugin-dir", "--allow-insecure"]),
    (&["paths"], &["--plugin-dir", "--allow-insecure"]),
    (
        &["schema", "noop"],
        &[
            "--plugin-dir",
            "--allow-insecure",
            "--in-process",
            "--plugin-timeout",
        ],
    ),
    (
        &["check", "noop.so"],
        &["--allow-insecure", "--plugin-timeout"],
    ),
    (&["new", "noop"], &["--plugin-dir"]),
    (&["quarantine", "list"], &[]),
    (&["completions", "bash"], &[]),
    (&["man", "pages"], &[]),
];

/// A flag is shown where it has an effect, and refused elsewhere, before the command and after.
#[test]
fn a_flag_without_effect_is_neither_shown_nor_taken() {
    let farm = Farm::with(&["noop"]);
    for (command, taken) in TAKEN {
        let name = command[0];
        let help = farm.run(&[name, "--help"]);
        let help = &help.succeeds().stdout;
        for (flag, given) in FLAGS {
            let before = farm.run(&[given, command].concat());
            let after = farm.run(&[command, given].concat());
            let is_taken = taken.contains(&flag);
            assert_eq!(
                help.contains(&format!("{flag} ")) || help.contains(&format!("{flag}\n")),
                is_taken,
                "{name} {flag}: {help}"
            );
            if is_taken {
                // `new` and `check` have other reasons to refuse these.
                for ran in [before, after] {
                    assert!(!ran.stderr.contains(flag), "{name} {flag}: {ran:?}");
                }
                continue;
            }
            before.fails(2, &[&format!("`{flag}` has no effect on `taskbay {name}`")]);
            after.fails(2, &[&format!("unexpected argument '{flag}'")]);
        }
    }
}

/// What stands after the command is said later, and counts more.
#[test]
fn a_flag_stands_before_or_after_the_command() {
    let farm = Farm::with(&[]);
    farm.add_unruly("describe-hangs");
    let name = crate::unruly::name("describe-hangs");
    let limit = ["--plugin-timeout", "1s"];
    farm.run(&[&limit[..], &["schema", &name]].concat())
        .fails(5, &["no answer within 1 s"]);
    farm.run(&["quarantine", "clear", &name]).succeeds();
    farm.run(&[&["--plugin-timeout", "60s", "schema", &name], &limit[..]].concat())
        .fails(5, &["no answer within 1 s"]);
}

/// A task's name may start with `-`.
#[test]
fn a_name_that_looks_like_a_flag_is_one_after_two_hyphens() {
    let farm = Farm::with(&[]);
    let file = farm.plugins().join("x.so");
    // As long as the original's.
    let name = format!("-{}", "x".repeat(24));
    let mut bytes = crate::unruly::original().plugin("plain", "none");
    crate::unruly::replace(&mut bytes, &crate::unruly::name("plain"), &name);
    std::fs::write(file, bytes).unwrap();
    for command in ["schema", "analyze", "inspect"] {
        farm.run(&[command, "--", &name]).succeeds();
        let hint = "to pass '-x' as a value, use '-- -x'";
        farm.run(&[command, &name])
            .fails(2, &["unexpected argument", hint]);
    }
    farm.run(&["run", "--", &name, "{}"]).succeeds();
    let worker = format!(r#"{{"{name}:version": 1}}"#);
    farm.run(&["can-run", "--worker", &worker, "--", &name, "{}"])
        .succeeds();
}

/// It can be a package's name too, and what the project says to type works.
#[test]
fn a_project_may_be_for_a_task_whose_name_looks_like_a_flag() {
    let farm = Farm::with(&[]);
    let api = root().to_str().unwrap();
    farm.run(&["new", "-x", "--api-path", api])
        .fails(2, &["use '-- -x'"]);
    for name in ["-x", "--help", "_"] {
        farm.run(&["new", "--api-path", api, "--", name]).succeeds();
        let project = farm.here().join(format!("taskbay-task-{name}"));
        let read = Command::new(env!("CARGO"))
            .args([
                "metadata",
                "--no-deps",
                "--offline",
                "--format-version",
                "1",
            ])
            .current_dir(&project)
            .output()
            .unwrap();
        assert!(read.status.success(), "{read:?}");
        let page = std::fs::read_to_string(project.join("README.md")).unwrap();
        let typed = format!("run -- {name} ");
        assert_eq!(page.contains(&typed), name.starts_with('-'), "{page}");
    }
}
