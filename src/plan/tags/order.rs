//! The order in which rules are applied.

use std::cmp::Ordering;

/// Sorts by priority, from the highest down, and keeps the order of equals. A priority that is no number is equal to
/// any, which is no order that a sorting algorithm could rely on; the result is then that of JavaScript's.
pub(super) fn by_priority<T>(items: &mut Vec<T>, priority: impl Fn(&T) -> f64) {
    let compare = |a: &T, b: &T| priority(b).partial_cmp(&priority(a)).unwrap_or(Ordering::Equal);
    if items.iter().all(|item| !priority(item).is_nan()) {
        return items.sort_by(compare);
    }
    let sorted = leading_run(items, &compare);
    for next in sorted..items.len() {
        let item = items.remove(next);
        let (mut low, mut high) = (0, next);
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(&item, &items[middle]) {
                Ordering::Less => high = middle,
                Ordering::Equal | Ordering::Greater => low = middle + 1,
            }
        }
        items.insert(low, item);
    }
}

/// The length of the part at the beginning that is in order already, or is after it was turned round.
fn leading_run<T>(items: &mut [T], compare: &impl Fn(&T, &T) -> Ordering) -> usize {
    let is_less = |at: usize| compare(&items[at], &items[at - 1]) == Ordering::Less;
    if items.len() < 2 {
        return items.len();
    }
    let descending = is_less(1);
    let length = (2..items.len()).find(|at| is_less(*at) != descending).unwrap_or(items.len());
    if descending {
        items[..length].reverse();
    }
    length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(priorities: &[f64]) -> Vec<usize> {
        let mut items: Vec<usize> = (0..priorities.len()).collect();
        by_priority(&mut items, |item| priorities[*item]);
        items
    }

    #[test]
    fn the_highest_first_and_equals_in_order() {
        assert_eq!(sorted(&[1.0, 3.0, 2.0, 3.0]), [1, 3, 2, 0]);
    }

    #[test]
    fn what_is_no_number_is_equal_to_any() {
        assert_eq!(sorted(&[1.0, f64::NAN, 2.0]), [0, 1, 2]);
        assert_eq!(sorted(&[1.0, 2.0, f64::NAN]), [1, 0, 2]);
        assert_eq!(sorted(&[f64::NAN]), [0]);
    }
}
