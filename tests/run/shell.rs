//! What shells, man and somebody who mistypes are given.

use crate::user::{User, names};

#[test]
fn bash_completes_commands_and_flags() {
    let user = User::new();
    let home = user.at("home");
    user.write(&home.join("complete"), &user.longshore(&home, &["completions", "bash"]).succeeds());
    let ask = |line: &str| {
        let words = line.split(' ').map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
        let last = line.split(' ').count() - 1;
        let script = format!(
            ". ./complete; COMP_WORDS=({words}); COMP_CWORD={last}; \
             _longshore longshore \"${{COMP_WORDS[{last}]}}\" \"${{COMP_WORDS[{last}-1]}}\"; echo \"${{COMPREPLY[*]}}\""
        );
        user.program("bash", &home).args(&["-euc", &script]).succeeds().trim().to_owned()
    };
    assert_eq!(ask("longshore ru"), "run");
    assert_eq!(ask("longshore run --no-t"), "--no-tag");
    assert_eq!(ask("longshore lifecycle si"), "simulate");
    assert_eq!(ask("longshore run --progress p"), "plain");
}

#[test]
fn other_shells_take_their_scripts() {
    let user = User::new();
    for (shell, part) in [("zsh", "#compdef longshore"), ("fish", "complete -c longshore")] {
        let script = user.longshore(&user.at("home"), &["completions", shell]).succeeds();
        assert!(script.contains(part), "{script}");
        // The shell itself has the last word, where there is one.
        if std::process::Command::new(shell).arg("--version").output().is_ok() {
            user.write(&user.at("script"), &script);
            user.program(shell, &user.at("home")).arg("-n").arg(user.at("script")).succeeds();
        }
    }
}

#[test]
fn a_manual_page_for_each_command() {
    let user = User::new();
    let folder = user.at("share/man1");
    user.longshore(&user.at("home"), &["man"]).arg(&folder).succeeds();
    let pages = names(&folder);
    for page in ["longshore.1", "longshore-run.1", "longshore-lifecycle-simulate.1"] {
        assert!(pages.contains(&page.to_owned()), "{pages:?}");
    }
    let run = std::fs::read_to_string(folder.join("longshore-run.1")).unwrap();
    assert!(run.starts_with(".ie") && run.contains(".TH longshore-run 1") && run.contains("Examples:"), "{run}");
}

#[test]
fn a_mistyped_command_is_answered_with_the_nearest() {
    let user = User::new();
    let ended = user.longshore(&user.at("home"), &["prmote", "x"]).run().with_code(2);
    assert!(ended.err().contains("tip: a similar subcommand exists: 'promote'"), "{}", ended.err());
}
