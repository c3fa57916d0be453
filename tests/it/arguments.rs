//! Flags that mean nothing to a command.

use crate::farm::Farm;

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
