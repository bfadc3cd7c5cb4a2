//! What `longshore cost` prints.

use serde_json::{Value, json};

use super::images::count;
use super::size;
use crate::inventory::{Cost, PRICES_OF, Prices};
use crate::lifecycle::Moment;
use crate::names::RepositoryName;

/// For people: each repository by age, and all together.
pub fn text(costs: &[(RepositoryName, Cost)], prices: &Prices) -> String {
    let mut lines = Vec::new();
    for (name, cost) in costs {
        lines.push(format!(
            "{name}: {} in {}, {} USD a month",
            size::bytes(cost.bytes),
            count(cost.images, "image"),
            usd(month(cost, prices))
        ));
        for share in &cost.by_age {
            lines.push(format!(
                "  {:<18} {:>8}  {:>8} USD  {}",
                share.age,
                size::bytes(share.bytes),
                usd(prices.of_storage(share.bytes)),
                count(share.images, "image")
            ));
        }
        if cost.listed > cost.bytes + cost.archived_bytes {
            let more = size::bytes(cost.listed - cost.bytes - cost.archived_bytes);
            lines.push(format!("  the sizes that ECR lists say {more} more, since they count shared layers again"));
        }
        if cost.archived_bytes > 0 {
            let archived = size::bytes(cost.archived_bytes);
            lines
                .push(format!("  of that, {archived} in the archive, as ECR lists it: at the same price below 150 TB"));
        }
        match &cost.saving {
            None => lines.push("  it has no lifecycle policy".to_owned()),
            Some(saving) => {
                lines.push(format!(
                    "  its lifecycle policy would delete {} and save {}, {} USD a month",
                    count(saving.expired, "image"),
                    size::bytes(saving.bytes),
                    usd(prices.of_storage(saving.bytes))
                ));
                if saving.archived > 0 {
                    lines.push(format!(
                        "  it would archive {}, which saves nothing below 150 TB",
                        count(saving.archived, "image")
                    ));
                }
            }
        }
        if let Some(unread) = unread(cost) {
            lines.push(format!("  {unread}"));
        }
    }
    if costs.len() > 1 {
        let bytes: u64 = costs.iter().map(|(_, cost)| cost.bytes).sum();
        let all: f64 = costs.iter().map(|(_, cost)| month(cost, prices)).sum();
        lines.push(format!("{} repositories: {}, {} USD a month", costs.len(), size::bytes(bytes), usd(all)));
    }
    if costs.is_empty() {
        lines.push("the registry has no repository".to_owned());
    }
    let of = if prices.stated {
        format!("as stated, else of {PRICES_OF}")
    } else {
        format!("of {PRICES_OF}; set yours with --price")
    };
    lines.push(format!("prices {of}: {} USD a GB-month; transfer and scans are not in it", prices.storage));
    lines.join("\n")
}

fn unread(cost: &Cost) -> Option<String> {
    (cost.unread > 0).then(|| format!("the layers of {} are not known", count(cost.unread, "image")))
}

fn month(cost: &Cost, prices: &Prices) -> f64 {
    prices.of_storage(cost.bytes) + prices.of_archive(cost.archived_bytes)
}

fn usd(amount: f64) -> String {
    if amount == 0.0 || amount >= 0.005 { format!("{amount:.2}") } else { "under 0.01".to_owned() }
}

/// For programs. Amounts in USD a month.
pub fn json(costs: &[(RepositoryName, Cost)], prices: &Prices, now: Moment) -> Value {
    let one = |(name, cost): &(RepositoryName, Cost)| {
        let by_age = cost.by_age.iter().map(|share| {
            json!({ "age": share.age, "images": share.images, "bytes": share.bytes, "usd": round(prices.of_storage(share.bytes)) })
        });
        json!({
            "repository": name,
            "images": cost.images,
            "bytes": cost.bytes,
            "gb_months": round(cost.bytes as f64 / 1e9),
            "usd": round(month(cost, prices)),
            "archived_bytes": cost.archived_bytes,
            "listed_bytes": cost.listed,
            "images_of_unknown_layers": cost.unread,
            "by_age": by_age.collect::<Vec<_>>(),
            "lifecycle": cost.saving.as_ref().map(|saving| json!({
                "expired": saving.expired,
                "archived": saving.archived,
                "bytes": saving.bytes,
                "usd": round(prices.of_storage(saving.bytes)),
            })),
        })
    };
    let total: f64 = costs.iter().map(|(_, cost)| month(cost, prices)).sum();
    json!({
        "at": now.text(),
        "prices": prices,
        "prices_of": PRICES_OF,
        "usd": round(total),
        "bytes": costs.iter().map(|(_, cost)| cost.bytes).sum::<u64>(),
        "repositories": costs.iter().map(one).collect::<Vec<_>>(),
    })
}

/// To the millionth.
fn round(amount: f64) -> f64 {
    (amount * 1e6).round() / 1e6
}
