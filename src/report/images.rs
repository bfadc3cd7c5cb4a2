//! What `longshore images` prints.

use serde_json::{Value, json};

use super::{signing, size};
use crate::diagnostic::Diagnostic;
use crate::execute::report::Signature;
use crate::inventory::{Drawn, Removal, Row};
use crate::lifecycle::Image;
use crate::names::{Digest, RepositoryName};

/// How many removed images are listed.
const MOST_LISTED: usize = 50;

/// How wide a bar is that stands for the largest layer.
const BAR: usize = 20;

/// How much of a command is shown.
const MOST_OF_COMMAND: usize = 100;

/// Prints rows as they come; as JSON one list in all.
pub struct Listing {
    as_json: bool,
    printed: usize,
}

impl Listing {
    /// Nothing is printed yet.
    pub fn new(as_json: bool) -> Self {
        Listing { as_json, printed: 0 }
    }

    /// Prints some rows.
    ///
    /// # Errors
    /// If stdout does not take them.
    pub fn print(&mut self, rows: &[Row<'_>]) -> Result<(), Diagnostic> {
        let mut text = String::new();
        for row in rows {
            if self.as_json {
                text.push_str(if self.printed == 0 { "[\n  " } else { ",\n  " });
                text.push_str(&row_json(row).to_string());
            } else {
                if self.printed == 0 {
                    text.push_str(&format!(
                        "{:<20} {:<20} {:>8} {:<24} {:<24} {:<16} {}\n",
                        "PUSHED", "LAST PULL", "SIZE", "DIGEST", "PLATFORMS", "KEY", "TAGS"
                    ));
                }
                text.push_str(&row_text(row));
                text.push('\n');
            }
            self.printed += 1;
        }
        if text.is_empty() { Ok(()) } else { super::print_part(&text) }
    }

    /// Ends the list.
    ///
    /// # Errors
    /// If stdout does not take it.
    pub fn end(self) -> Result<(), Diagnostic> {
        match (self.as_json, self.printed) {
            (true, 0) => super::print("[]"),
            (true, _) => super::print_part("\n]\n"),
            (false, _) => Ok(()),
        }
    }
}

/// `2026-03-01 12:00:00`, without the fraction.
fn minute(text: &str) -> String {
    text.chars().take(19).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn row_text(row: &Row<'_>) -> String {
    let image = row.image;
    let pulled = image.pulled_at.map_or_else(|| "-".to_owned(), |at| minute(&at.text()));
    let platforms: Vec<&str> = row.platforms.iter().map(|name| name.as_str()).collect();
    let platforms = if platforms.is_empty() { "-".to_owned() } else { platforms.join(",") };
    let mut tags: Vec<String> = image.tags.iter().filter(|tag| !tag.starts_with("src-")).cloned().collect();
    tags.sort_unstable();
    let mut notes = Vec::new();
    if !row.listed_by.is_empty() {
        let by = row.listed_by.iter().map(|index| index.tag.clone().unwrap_or_else(|| short(&index.digest)));
        notes.push(format!("(part of {})", by.collect::<Vec<_>>().join(", ")));
    }
    notes.extend(image.subject.as_ref().map(|subject| format!("(about {})", short(subject))));
    notes.extend(row.state().map(|state| format!("({state})")));
    let mut words = vec![if tags.is_empty() { "-".to_owned() } else { tags.join(", ") }];
    words.extend(notes);
    format!(
        "{:<20} {:<20} {:>8} {:<24} {:<24} {:<16} {}",
        minute(&image.pushed_at.text()),
        pulled,
        image.size.map_or_else(|| "-".to_owned(), size::bytes),
        short(&image.digest),
        platforms,
        row.key().map_or("-", |key| &key[..key.len().min(12)]),
        words.join(" ")
    )
}

fn short(digest: &str) -> String {
    digest.chars().take(19).collect()
}

fn row_json(row: &Row<'_>) -> Value {
    let image = row.image;
    let mut value = json!({
        "digest": image.digest,
        "tags": image.tags,
        "pushed_at": image.pushed_at.text(),
        "last_pull": image.pulled_at.map(crate::lifecycle::Moment::text),
        "size_bytes": image.size,
        "media_type": image.media_type,
        "platforms": Some(&row.platforms).filter(|names| !names.is_empty()),
        "key": row.key(),
        "state": row.state().unwrap_or("active"),
    });
    if !row.listed_by.is_empty() {
        value["part_of"] = row.listed_by.iter().map(|index| index.digest.as_str()).collect();
    }
    if let Some(subject) = &image.subject {
        value["about"] = subject.as_str().into();
    }
    value
}

/// As in `1 image` and `2 images`.
pub fn count(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// What a removal takes, in one line.
pub fn removed(removal: &Removal<'_>) -> String {
    let mut parts = Vec::new();
    if !removal.tags.is_empty() {
        parts.push(count(removal.tags.len(), "tag"));
    }
    if !removal.images.is_empty() {
        parts.push(count(removal.images.len(), "image"));
    }
    if !removal.along.is_empty() {
        parts.push(format!("{} that go along", count(removal.along.len(), "image")));
    }
    parts.join(", ")
}

/// What a removal takes, image by image.
pub fn removal(name: &RepositoryName, removal: &Removal<'_>) -> String {
    let named = |image: &Image| match image.tags.is_empty() {
        true => format!("{} without a tag", image.digest),
        false => format!("{} with {}", image.digest, image.tags.join(", ")),
    };
    let tags = removal.tags.iter().map(|(tag, image, others)| {
        format!("tag {tag} of {}, which stays as {}", short(&image.digest), others.join(", "))
    });
    let images = removal.images.iter().map(|image| format!("image {}", named(image)));
    let along = removal.along.iter().map(|image| match &image.subject {
        Some(subject) => format!("along with {}: {}", short(subject), named(image)),
        None => format!("along with its index: {}", named(image)),
    });
    let mut lines = vec![format!("{name}: {} to remove", removed(removal))];
    lines.extend(tags.chain(images).chain(along).take(MOST_LISTED).map(|line| format!("  {line}")));
    let all = removal.tags.len() + removal.images.len() + removal.along.len();
    if let Some(more) = all.checked_sub(MOST_LISTED).filter(|more| *more > 0) {
        lines.push(format!("  and {more} more"));
    }
    lines.join("\n")
}

/// An image whose layers are drawn.
pub struct Shown<'a> {
    /// The repository.
    pub repository: &'a RepositoryName,
    /// The image.
    pub image: &'a Image,
    /// Itself, or what it is for each platform.
    pub parts: Vec<ShownPart>,
    /// How many other images the repository has.
    pub others: usize,
    /// How far ECR's managed signing is with it, where ECR tells.
    pub signatures: Option<Vec<Signature>>,
}

/// An image for one platform.
pub struct ShownPart {
    /// As in `linux/amd64`.
    pub platform: Option<String>,
    /// Its digest.
    pub digest: Digest,
    /// Its layers.
    pub drawn: Drawn,
    /// How many other images of the repository need each of the layers.
    pub shared: Vec<usize>,
}

impl ShownPart {
    fn size(&self) -> u64 {
        self.drawn.layers.iter().map(|layer| layer.blob.size).sum()
    }

    fn own(&self) -> u64 {
        let layers = self.drawn.layers.iter().zip(&self.shared);
        layers.filter(|(_, shared)| **shared == 0).map(|(layer, _)| layer.blob.size).sum()
    }
}

/// The layers of an image, for people.
pub fn shown(shown: &Shown<'_>) -> String {
    let image = shown.image;
    let mut lines = vec![format!("{}@{}", shown.repository, image.digest)];
    if !image.tags.is_empty() {
        lines.push(format!("tags: {}", image.tags.join(", ")));
    }
    lines.push(format!("pushed: {}", minute(&image.pushed_at.text())));
    // Most registries sign nothing; that is not worth a line.
    if let Some(signatures) = shown.signatures.as_deref().filter(|all| !all.is_empty()) {
        lines.push(format!("signing: {}", signing::words(signatures)));
    }
    for part in &shown.parts {
        let platform = part.platform.as_deref().unwrap_or("unknown platform");
        let layers = count(part.drawn.layers.len(), "layer");
        let own = size::bytes(part.own());
        lines.extend([
            String::new(),
            format!(
                "{platform}: {} in {layers}, {own} of them in no other image of the repository",
                size::bytes(part.size())
            ),
        ]);
        let largest = part.drawn.layers.iter().map(|layer| layer.blob.size).max().unwrap_or(0);
        for (number, (layer, shared)) in part.drawn.layers.iter().zip(&part.shared).enumerate() {
            let bar = "#".repeat(scaled(layer.blob.size, largest));
            let others = match shared {
                0 => String::new(),
                1 => " (in 1 other image)".to_owned(),
                count => format!(" (in {count} other images)"),
            };
            let mark = if layer.blob.size == largest && part.drawn.layers.len() > 1 { " <- the largest" } else { "" };
            let command = layer.command.as_deref().map_or_else(|| short(&layer.blob.digest), shortened);
            lines.push(format!(
                "{:>3} {:>8} {bar:<BAR$} {command}{others}{mark}",
                number + 1,
                size::bytes(layer.blob.size)
            ));
            lines.extend(layer.hint.map(|hint| format!("{:34}hint: {hint}", "")));
        }
        if !part.drawn.has_commands && !part.drawn.layers.is_empty() {
            lines.push("    the image's history does not say which command made which layer".to_owned());
        }
    }
    lines.extend([
        String::new(),
        format!(
            "sizes are compressed; {} compared; hints go by the commands alone, not by what is in the layers",
            count(shown.others, "other image")
        ),
    ]);
    lines.join("\n")
}

fn scaled(part: u64, whole: u64) -> usize {
    let width = u64::try_from(BAR).unwrap_or(0);
    let filled = (part.saturating_mul(width)).checked_div(whole).unwrap_or(0);
    usize::try_from(filled.max(u64::from(part > 0))).unwrap_or(BAR)
}

fn shortened(command: &str) -> String {
    match command.chars().count() > MOST_OF_COMMAND {
        true => command.chars().take(MOST_OF_COMMAND - 1).chain(['…']).collect(),
        false => command.to_owned(),
    }
}

/// The same as JSON.
pub fn shown_json(shown: &Shown<'_>) -> Value {
    let parts = shown.parts.iter().map(|part| {
        let layers = part.drawn.layers.iter().zip(&part.shared).map(|(layer, shared)| {
            json!({
                "digest": layer.blob.digest,
                "size_bytes": layer.blob.size,
                "command": layer.command,
                "other_images": shared,
                "hint": layer.hint,
            })
        });
        json!({
            "platform": part.platform,
            "digest": part.digest,
            "size_bytes": part.size(),
            "own_bytes": part.own(),
            "layers": layers.collect::<Vec<_>>(),
        })
    });
    json!({
        "repository": shown.repository,
        "digest": shown.image.digest,
        "tags": shown.image.tags,
        "pushed_at": shown.image.pushed_at.text(),
        "signing": shown.signatures.as_deref().map(signing::json),
        "images": parts.collect::<Vec<_>>(),
        "other_images_compared": shown.others,
    })
}
