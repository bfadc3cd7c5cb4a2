//! A simulation for people.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::reach::{self, Reach};
use super::rule_words;
use crate::inventory::{PRICES_OF, Prices};
use crate::lifecycle::{Action, Image, KeptWhy, Outcome, Pass, Policy, along};
use crate::report::size;

/// How many images of a rule are listed; the JSON has all.
const MOST_LISTED: usize = 20;

/// What deleting these images frees. The archive costs the same as the standard storage below 150 TB.
pub(super) fn freed<'a>(taken: impl Iterator<Item = (&'a Image, Action)>) -> Freed {
    let mut freed = Freed { bytes: 0, unknown: 0 };
    for (image, action) in taken {
        // An index is as large as its largest child, which does not go with it.
        if action == Action::Archive || image.is_index() {
            continue;
        }
        match image.size {
            Some(size) => freed.bytes = freed.bytes.saturating_add(size),
            None => freed.unknown += 1,
        }
    }
    freed
}

fn price_words(prices: &Prices) -> String {
    let source = match prices.stated {
        true => "as stated".to_owned(),
        false => format!("{PRICES_OF}; set yours with --price"),
    };
    format!("{} USD a GB-month ({source})", money(prices.storage))
}

/// Bytes that go, at most: layers that other images need stay.
pub(super) struct Freed {
    bytes: u64,
    unknown: usize,
}

impl Freed {
    pub(super) fn to_json(&self, prices: &Prices) -> Value {
        let dated = if prices.stated { Value::Null } else { PRICES_OF.into() };
        json!({
            "bytesAtMost": self.bytes,
            "usdPerMonthAtMost": (prices.of_storage(self.bytes) * 1e6).round() / 1e6,
            "usdPerGbMonth": prices.storage,
            "priceOf": dated,
            "imagesOfUnknownSize": self.unknown,
        })
    }
}

fn money(usd: f64) -> String {
    if usd >= 0.005 || usd == 0.0 { format!("{usd:.2}") } else { "less than 0.01".to_owned() }
}

/// What a simulation bears on outside of the images.
pub struct Bearing<'a> {
    /// What storage costs.
    pub prices: &'a Prices,
    /// Where the images are replicated to.
    pub reach: &'a Reach,
}

/// The simulation of these images as a table by rule: what goes, what stays and why, and what that saves. `passes` are all
/// daily runs, the first included, where there are several.
pub fn text<'a>(
    name: &str,
    policy: &Policy,
    images: &'a [Image],
    first: &'a Outcome<'a>,
    passes: &[Pass],
    to: &Bearing<'_>,
) -> String {
    let mut lines = vec![format!(
        "{name} at {}: {} expire, {} archived, {} stay",
        first.at.text(),
        first.expiring(),
        first.transitioning(),
        first.kept.len()
    )];
    for rule in policy.rules() {
        let of_rule: Vec<&Image> =
            first.taken.iter().filter(|taken| taken.priority == rule.priority).map(|taken| taken.image).collect();
        lines.extend([String::new(), format!("rule {}: {}", rule.priority, rule_words(rule))]);
        if of_rule.is_empty() {
            lines.push("  takes nothing".to_owned());
        }
        lines.extend(of_rule.iter().take(MOST_LISTED).map(|image| format!("  - {}", image_words(image))));
        if let Some(more) = of_rule.len().checked_sub(MOST_LISTED).filter(|more| *more > 0) {
            lines.push(format!("  and {more} more; --json lists all"));
        }
    }
    lines.extend([String::new(), "what stays, and why".to_owned()]);
    let kept = kept(first);
    let width = kept.iter().map(|(_, count, _)| count.to_string().len()).max().unwrap_or(0);
    if kept.is_empty() {
        lines.push("  nothing".to_owned());
    }
    lines.extend(kept.into_iter().map(|(why, count, example)| format!("  {count:width$}  {why}, as {example}")));
    let referrers = along(first, images).len();
    if referrers > 0 {
        lines.push(String::new());
        lines.push(format!("{referrers} referrers, such as signatures, go with their images"));
    }
    following(passes, &mut lines);
    closing(first, passes, to, &mut lines);
    lines.join("\n")
}

fn following(passes: &[Pass], lines: &mut Vec<String>) {
    if passes.len() < 2 {
        return;
    }
    lines.extend([String::new(), format!("{} daily runs", passes.len())]);
    for pass in passes.iter().filter(|pass| !pass.taken.is_empty()) {
        let expired = pass.taken.iter().filter(|(_, action, _)| *action == Action::Expire).count();
        let archived = pass.taken.len() - expired;
        lines.push(format!("  {}: {expired} expire, {archived} archived", pass.at.text()));
    }
    if passes.iter().all(|pass| pass.taken.is_empty()) {
        lines.push("  none of them takes anything".to_owned());
    }
}

fn closing(first: &Outcome<'_>, passes: &[Pass], to: &Bearing<'_>, lines: &mut Vec<String>) {
    let freed = if passes.len() > 1 {
        freed(passes.iter().flat_map(|pass| &pass.taken).map(|(image, action, _)| (image, *action)))
    } else {
        freed(first.taken.iter().map(|taken| (taken.image, taken.action)))
    };
    let unknown = match freed.unknown {
        0 => String::new(),
        count => format!("; the size of {count} is not known"),
    };
    lines.push(String::new());
    lines.push(format!(
        "frees at most {} and {} USD a month at {}; layers that other images need stay{unknown}",
        size::bytes(freed.bytes),
        money(to.prices.of_storage(freed.bytes)),
        price_words(to.prices)
    ));
    if first.transitioning() > 0 {
        lines.push("archiving saves nothing below 150 TB, and an archived image cannot be pulled".to_owned());
    }
    if first.expiring() > 0 {
        lines.extend(reach::expiring(to.reach));
    }
}

fn image_words(image: &Image) -> String {
    let tags = if image.tags.is_empty() { "untagged".to_owned() } else { image.tags.join(", ") };
    let size = image.size.map_or(String::new(), |bytes| format!("  {}", size::bytes(bytes)));
    format!("{}  {tags}  pushed {}{size}", short(&image.digest), image.pushed_at.text())
}

fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

/// The reasons why images stay, with how many there are of each and an example.
pub(super) fn kept(outcome: &Outcome<'_>) -> Vec<(String, usize, String)> {
    let mut reasons: BTreeMap<KeptWhy, (usize, &Image)> = BTreeMap::new();
    for kept in &outcome.kept {
        reasons.entry(kept.why).or_insert((0, kept.image)).0 += 1;
    }
    let told = |(why, (count, image)): (KeptWhy, (usize, &Image))| {
        let example = image.tags.first().map_or_else(|| short(&image.digest).to_owned(), |tag| format!("`{tag}`"));
        (reason(why), count, example)
    };
    reasons.into_iter().map(told).collect()
}

fn reason(why: KeptWhy) -> String {
    match why {
        KeptWhy::Kept(rule) => format!("rule {rule} keeps them"),
        KeptWhy::Shielded { by, from } => format!("rule {by} matches them, which shields them from rule {from}"),
        KeptWhy::Child => "an index lists them; they can go after it".to_owned(),
        KeptWhy::Referrer => "they refer to another image and go with it".to_owned(),
        KeptWhy::Activating => "they are on their way back from the archive".to_owned(),
        KeptWhy::Unmatched => "no rule matches them".to_owned(),
    }
}
