//! Which known word an unknown one was meant to be.

/// The known word that is nearest to the one given, if any is near enough to be meant.
///
/// Near enough is one slip of the fingers for every three letters: a letter too many, too few, wrong, or two
/// swapped; upper case, `-` and `_` do not count.
pub fn nearest<'k>(given: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let given = plain(given);
    known
        .into_iter()
        .map(|word| (distance(&given, &plain(word)), word))
        .filter(|(distance, word)| *distance <= word.chars().count().div_ceil(3))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// A word that nobody meant is cut off, so that a long one costs no time.
fn plain(word: &str) -> Vec<char> {
    word.chars().filter(|c| !matches!(c, '-' | '_')).flat_map(char::to_lowercase).take(64).collect()
}

/// The number of slips: the optimal string alignment distance.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let replace = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replace.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(before_last[j - 2] + 1);
            }
            row.push(least);
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 6] = ["dockerfile", "target", "args", "tags", "no_cache", "create"];

    #[test]
    fn slips_are_recognised() {
        for (given, meant) in [
            ("dockerfle", "dockerfile"),
            ("dockerFile", "dockerfile"),
            ("docker_file", "dockerfile"),
            ("tagret", "target"),
            ("arg", "args"),
            ("tag", "tags"),
            ("nocache", "no_cache"),
        ] {
            assert_eq!(nearest(given, KNOWN), Some(meant), "{given}");
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        for given in ["gate", "ports", "", "x", "environment"] {
            assert_eq!(nearest(given, ["dockerfile", "args", "no_cache"]), None, "{given}");
        }
    }

    #[test]
    fn the_distance_counts_slips() {
        let count = |a: &str, b: &str| distance(&plain(a), &plain(b));
        assert_eq!(count("abc", "abc"), 0);
        assert_eq!(count("abc", "acb"), 1);
        assert_eq!(count("abc", "abcd"), 1);
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("kitten", "sitting"), 3);
    }
}
