//! Which tags of an image move by their rules, and what filters of an immutable repository would let them.
//!
//! ECR's filters know letters and `*` only, so what they let move may be more than what is meant: `*.*` is meant for
//! `1.2` and matches `1.2.3` as well.

mod rules;
mod shape;

use super::{Environment, Image};
pub use rules::{Given, given};
pub use shape::Shape;

/// The most filters that ECR takes, and the most `*` in each.
const MAX_FILTERS: usize = 5;
const MAX_STARS: usize = 2;

/// Tags that move by their rule.
#[derive(Debug, Clone, PartialEq)]
pub struct Moving {
    /// The tags, and their rule.
    pub given: Given,
    /// The filter that lets them move.
    pub filter: String,
    /// Tags that stay, and that the filter would let move as well: no filter can tell them apart.
    pub meets: Option<Given>,
}

/// All tags of an image that move by their rules; those of its content key come last.
pub fn moving(image: &Image, environments: &[Environment]) -> Vec<Moving> {
    let (moving, staying): (Vec<Given>, Vec<Given>) =
        given(image, environments).into_iter().partition(|given| given.moves);
    let one = |given: Given| {
        let filter = fitting(&given.shape.filter());
        let meets = staying.iter().find(|stays| stays.shape.meets(&filter)).cloned();
        Moving { given, filter, meets }
    };
    moving.into_iter().map(one).collect()
}

/// The filters that let move what moves and nothing else, as far as that can be said.
///
/// # Errors
/// The filters that it would take, where ECR takes fewer.
pub fn filters(image: &Image, environments: &[Environment]) -> Result<Vec<String>, Vec<String>> {
    let mut filters: Vec<String> = Vec::new();
    for moving in moving(image, environments).into_iter().filter(|moving| moving.meets.is_none()) {
        if !filters.contains(&moving.filter) {
            filters.push(moving.filter);
        }
    }
    let staying: Vec<Given> = given(image, environments).into_iter().filter(|given| !given.moves).collect();
    while filters.len() > MAX_FILTERS {
        let Some((first, second, wider)) = widened(&filters, &staying) else { return Err(filters) };
        filters[first] = wider;
        filters.remove(second);
    }
    Ok(filters)
}

/// Two filters that one could stand for, since they begin alike and nothing that stays does.
fn widened(filters: &[String], staying: &[Given]) -> Option<(usize, usize, String)> {
    let pairs = (0..filters.len()).flat_map(|first| (first + 1..filters.len()).map(move |second| (first, second)));
    let wider = pairs.filter_map(|(first, second)| {
        let (one, other) = (&filters[first], &filters[second]);
        let alike: String =
            one.chars().zip(other.chars()).take_while(|(a, b)| a == b && *a != '*').map(|(a, _)| a).collect();
        let filter = format!("{alike}*");
        let free = !alike.is_empty() && !staying.iter().any(|stays| stays.shape.meets(&filter));
        free.then_some((alike.len(), (first, second, filter)))
    });
    wider.max_by_key(|(length, _)| *length).map(|(_, found)| found)
}

/// The same filter with no more `*` than ECR takes; it may mean more then.
fn fitting(filter: &str) -> String {
    if filter.matches('*').count() <= MAX_STARS {
        return filter.to_owned();
    }
    let before = filter.split('*').next().unwrap_or_default();
    let after = filter.rsplit('*').next().unwrap_or_default();
    format!("{before}*{after}")
}
