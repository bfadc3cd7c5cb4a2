//! Every block of every page is something that the program takes or gives.

use std::path::Path;
use std::process::Command;

use longshore::local::Fault;
use serde_json::Value;

use crate::markdown::{Block, blocks, pages};
use crate::{parsed, read, shell, told};

/// What a block shows, and whether that is true.
fn check(block: &Block) -> Result<(), String> {
    let text = &block.text;
    match block.language.as_str() {
        "yaml" => yaml(text),
        "console" => console(text),
        "sh" => text.lines().try_for_each(shell::check),
        "groovy" => groovy(text),
        "mermaid" => mermaid(text),
        "text" => output(block),
        other => Err(format!("nobody checks blocks in `{other}`")),
    }
}

fn yaml(text: &str) -> Result<(), String> {
    let has = |start: &str| text.lines().any(|line| line.starts_with(start));
    if text.starts_with("version: 1\n") {
        return resolves(text);
    }
    if let Some(below) = text.strip_prefix("# under an image, or under `defaults`\n") {
        let indented: String = below.lines().map(|line| format!("  {line}\n")).collect();
        return resolves(&format!("version: 1\nimages: {{ web: {{ build: . }} }}\ndefaults:\n{indented}"));
    }
    if has("faults:") {
        return Fault::parse(text, Path::new("")).map(drop).map_err(|error| error.to_string());
    }
    let value: Value = serde_yaml::from_str(text).map_err(|error| error.to_string())?;
    match &value {
        Value::Array(items) if items.iter().any(|item| item["answers"].is_array()) => scans(text),
        Value::Array(steps) if steps.iter().all(|step| step["uses"].is_string() || step["run"].is_string()) => {
            steps.iter().try_for_each(step)
        }
        Value::Object(spec) if spec.contains_key("phases") => {
            let phases = spec["phases"].as_object().into_iter().flatten();
            let commands = phases.flat_map(|(_, phase)| phase["commands"].as_array().into_iter().flatten());
            commands.filter_map(Value::as_str).try_for_each(shell::check)
        }
        _ => Err("nobody knows what this YAML is".to_owned()),
    }
}

/// A pipeline file, in an empty environment; a warning counts as an error.
fn resolves(text: &str) -> Result<(), String> {
    let file = longshore::pipeline::parse("longshore.yaml", text.to_owned()).map_err(|errors| told(&errors))?;
    let (_, warnings) = file.resolve(&|_| None).map_err(|errors| told(&errors))?;
    warnings.first().map_or(Ok(()), |warning| Err(format!("warning: {warning}")))
}

/// What scans are said to find, as `longshore local` reads it.
fn scans(text: &str) -> Result<(), String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scans.yaml");
    std::fs::write(&file, text).unwrap();
    let mut local = Command::new(env!("CARGO_BIN_EXE_longshore"));
    local.args(["local", "--port", "0", "--data"]).arg(folder.path().join("data")).arg("--scans").arg(&file);
    let output = local.args(["--", "true"]).output().unwrap();
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

/// A step of a GitHub workflow: the action's inputs and outputs are those that it has.
fn step(step: &Value) -> Result<(), String> {
    let action = parsed("action.yml");
    let with = step["with"].as_object().into_iter().flatten();
    if step["uses"].as_str().is_some_and(|uses| uses.starts_with("OWNER/longshore@")) {
        for (input, _) in with {
            if action["inputs"][input].is_null() {
                return Err(format!("the action has no input `{input}`"));
            }
        }
    }
    let text = step.to_string();
    for named in text.split("steps.longshore.outputs.").skip(1) {
        let output: String = named.chars().take_while(|c| c.is_alphanumeric() || *c == '-').collect();
        if action["outputs"][&output].is_null() {
            return Err(format!("the action has no output `{output}`"));
        }
    }
    Ok(())
}

/// Commands, each behind a `$`. What they print stands beneath one of them only where another test compares it.
fn console(text: &str) -> Result<(), String> {
    let demonstration = text.lines().any(|line| line == "$ make demo");
    for line in text.lines() {
        match line.strip_prefix("$ ") {
            Some(command) => shell::check(&command.replace("<this repository>", "URL"))?,
            // Compared by `tests/run/quickstart.rs`.
            None if demonstration => {}
            None => return Err(format!("nobody checks the output `{line}`")),
        }
    }
    Ok(())
}

/// Steps of a Jenkins pipeline.
fn groovy(text: &str) -> Result<(), String> {
    for line in text.lines() {
        let script = line.trim().strip_prefix("sh '").and_then(|rest| rest.strip_suffix('\''));
        shell::check(script.ok_or_else(|| format!("`{line}` is no `sh` step"))?)?;
    }
    Ok(())
}

/// A flow chart of nodes `name["text"]`, arrows and groups: no more than that is used, so that it is easily checked.
fn mermaid(text: &str) -> Result<(), String> {
    let shapes = r#"(?:\["[^"]*"\]|\{"[^"]*"\}|\(\["[^"]*"\]\))?"#;
    let node = format!("[a-z_]+{shapes}");
    let arrow = r#" (?:-->|-. [^.]+ .->|-- [a-z ]+ -->) "#;
    let line = format!(
        r#"^(?:flowchart (?:LR|TB)|subgraph [a-z_]+\["[^"]*"\]|end|direction (?:LR|TB)|{node}(?:{arrow}{node})*)$"#
    );
    let line = regex::Regex::new(&line).unwrap();
    let odd = text.lines().find(|text| !line.is_match(text.trim()));
    odd.map_or(Ok(()), |odd| Err(format!("`{odd}` is no line of a flow chart")))
}

/// What the program prints.
fn output(block: &Block) -> Result<(), String> {
    let text = block.text.as_str();
    let first = text.lines().next().unwrap_or_default();
    let same = |given: String| if given == text { Ok(()) } else { Err(format!("the program says:\n{given}")) };
    if first.starts_with("error: unknown field") {
        return same(mistake(text)?);
    }
    if first.starts_with("branch ") {
        let mut facts = Command::new(env!("CARGO_BIN_EXE_longshore"));
        facts.arg("facts").current_dir(std::env::temp_dir()).env_clear();
        let output = facts.envs([("GIT_BRANCH", "origin/main"), ("JENKINS_URL", "https://ci/")]).output().unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        return same(
            printed.lines().filter(|line| line.starts_with("branch ")).map(|line| format!("{line}\n")).collect(),
        );
    }
    if first.starts_with("# yaml-language-server: ") {
        let example = read("examples/quickstart/longshore.yaml");
        return same(format!("{}\n", example.lines().next().unwrap().replace("../../", "")));
    }
    if first.starts_with("ok ") {
        let line = regex::Regex::new(
            r"^(?:(?:ok|warning|problem) {2,8}\S.{26} \S|                                     hint: )",
        )
        .unwrap();
        let odd = text.lines().find(|text| !line.is_match(text));
        return odd.map_or(Ok(()), |odd| Err(format!("`{odd}` is no line of the doctor's")));
    }
    Err("nobody knows what prints this".to_owned())
}

/// What is said of a pipeline file that has the line which the message shows, where it says.
fn mistake(shown: &str) -> Result<String, String> {
    let line = regex::Regex::new(r"(?m)^(\d+) \| (.*)$").unwrap();
    let found = line.captures(shown).ok_or("it shows no line")?;
    let before = ["version: 1", "images:", "  web:", "    build:"];
    let number: usize = found[1].parse().map_err(|_| "no number")?;
    let blank = number.checked_sub(before.len() + 1).ok_or("it is too far up")?;
    let file = format!("{}{}\n{}\n", "\n".repeat(blank), before.join("\n"), &found[2]);
    let refused = longshore::pipeline::parse("longshore.yaml", file).and_then(|file| file.resolve(&|_| None)).err();
    refused.as_ref().map(told).ok_or_else(|| "the program finds nothing wrong".to_owned())
}

#[test]
fn every_block_is_true() {
    let mut wrong = Vec::new();
    let mut count = 0;
    // The changelog tells of what was; CONTRIBUTING shows the files of a test.
    for page in pages().into_iter().filter(|page| page != "CHANGELOG.md" && page != "CONTRIBUTING.md") {
        for block in blocks(&page) {
            count += 1;
            wrong.extend(check(&block).err().map(|why| format!("{}: {why}", block.place)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(count > 30, "only {count} blocks were found");
}
