//! As much of Markdown as the documentation uses: fenced blocks, headings, links.

use std::collections::{BTreeMap, BTreeSet};

use crate::{files, read};

/// A fenced block.
pub struct Block {
    /// Its file and the line in which its text begins.
    pub place: String,
    /// What stands behind its fence.
    pub language: String,
    /// Its lines, each with its end.
    pub text: String,
}

/// Every page, by its path from the project's root.
pub fn pages() -> Vec<String> {
    let below = ["docs", "examples"].into_iter().flat_map(files).filter(|name| name.ends_with(".md"));
    let pages: Vec<String> = ["README.md", "BENCHMARKS.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"]
        .map(str::to_owned)
        .into_iter()
        .chain(below)
        .collect();
    assert!(pages.iter().filter(|name| name.starts_with("docs/")).count() > 10, "{pages:?}");
    pages
}

/// The fenced blocks of a page.
pub fn blocks(page: &str) -> Vec<Block> {
    let text = read(page);
    let mut found = Vec::new();
    let mut lines = text.lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            assert!(!line.trim_start().starts_with("```"), "{page}:{number}: an indented block is not checked");
            continue;
        };
        let mut text = String::new();
        loop {
            match lines.next() {
                Some(("```", _)) => break,
                Some((line, _)) => text += &format!("{line}\n"),
                None => panic!("{page}:{number}: the block does not end"),
            }
        }
        found.push(Block { place: format!("{page}:{}", number + 1), language: fence.trim().to_owned(), text });
    }
    found
}

/// The lines outside of blocks, each with its number.
fn prose(page: &str) -> Vec<(usize, String)> {
    let mut inside = false;
    let text = read(page);
    let outside = text.lines().zip(1..).filter(|(line, _)| {
        let fence = line.starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    outside.map(|(line, number)| (number, line.to_owned())).collect()
}

/// What may stand behind a `#` in a link to a page, as GitHub makes it out of headings.
pub fn anchors(page: &str) -> BTreeSet<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut anchors = BTreeSet::new();
    for (_, line) in prose(page) {
        let title = line.trim_start_matches('#');
        if title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        let anchor: String = kept.flat_map(char::to_lowercase).map(|c| if c == ' ' { '-' } else { c }).collect();
        let count = seen.entry(anchor.clone()).or_default();
        anchors.insert(if *count == 0 { anchor } else { format!("{anchor}-{count}") });
        *count += 1;
    }
    anchors
}

/// Where the links of a page lead, each with its line. What stands between backticks is no link.
pub fn links(page: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (number, line) in prose(page) {
        let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("``");
        let mut rest = text.as_str();
        while let Some((_, behind)) = rest.split_once("](") {
            let end = behind.find(')').unwrap_or_else(|| panic!("{page}:{number}: the link does not end"));
            found.push((number, behind[..end].to_owned()));
            rest = &behind[end..];
        }
    }
    found
}
