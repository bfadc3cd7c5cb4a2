//! What comes first where one needs the other: variables in variables, targets that inherit from targets.

use std::mem;

/// Those that are wanted and all that they need, each once and after what it needs itself. Where a circle closes, the
/// need that closes it is as good as none.
///
/// Without recursion: a file may have a chain of ten thousand.
pub(super) fn needed_first(needs: &[Vec<usize>], wanted: impl IntoIterator<Item = usize>) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = vec![false; needs.len()];
    for first in wanted {
        if mem::replace(&mut seen[first], true) {
            continue;
        }
        let mut path = vec![(first, needs[first].iter())];
        while let Some((at, left)) = path.last_mut() {
            match left.find(|need| !seen[**need]) {
                Some(need) => {
                    seen[*need] = true;
                    path.push((*need, needs[*need].iter()));
                }
                None => {
                    order.push(*at);
                    path.pop();
                }
            }
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::needed_first;

    #[test]
    fn each_comes_once_and_after_what_it_needs() {
        assert_eq!(needed_first(&[vec![1, 2], vec![3], vec![3], vec![]], [0]), [3, 1, 2, 0]);
        assert_eq!(needed_first(&[vec![], vec![0], vec![]], [1, 0]), [0, 1], "what nobody wants stays out");
        assert_eq!(needed_first(&[vec![1], vec![2], vec![0]], [0]), [2, 1, 0], "a circle is cut");
        assert_eq!(needed_first(&[vec![0]], [0]), [0]);
    }

    #[test]
    fn a_long_chain_takes_no_stack() {
        let needs: Vec<Vec<usize>> = (1..=100_000).map(|next| vec![next]).chain([vec![]]).collect();
        assert_eq!(needed_first(&needs, [0]).len(), 100_001);
    }
}
