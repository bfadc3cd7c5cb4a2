use super::*;

fn first(expression: &str, text: &str) -> Option<String> {
    Expression::delimited(expression).unwrap().groups(text)?.remove(0)
}

fn fault(expression: &str) -> (String, Range<usize>) {
    let unusable = Expression::delimited(expression).unwrap_err();
    (unusable.message, unusable.range)
}

#[test]
fn what_both_write_the_same() {
    assert_eq!(first(r"v(\d+\.\d+)", "rel-v1.2.3").as_deref(), Some("v1.2"));
    assert_eq!(Expression::bare("(a)|(b)").unwrap().groups("b"), Some(vec![Some("b".into()), None, Some("b".into())]));
    assert_eq!(first("x*?", "xx").as_deref(), Some(""));
    assert_eq!(first("^a$", "a\n"), None);
}

#[test]
fn what_they_write_differently() {
    assert_eq!(first(r"\d+", "٣4").as_deref(), Some("4"));
    assert_eq!(first(r"\w+", "é_a").as_deref(), Some("_a"));
    assert_eq!(first(r"[[&&a]+", "[a&").as_deref(), Some("[a&"));
    assert_eq!(first(r"a{,3}", "a{,3}").as_deref(), Some("a{,3}"));
    assert_eq!(first(r"[\w-.]+", "a-.").as_deref(), Some("a-."));
    assert_eq!(first(r"\cJ|\x41|\u0042|\-|\_", "A").as_deref(), Some("A"));
    assert_eq!(first("[^]", "x").as_deref(), Some("x"));
    assert_eq!(first("[]", "x"), None);
    assert_eq!(first(r"(?<year>\d{4})", "in 2024").as_deref(), Some("2024"));
    assert_eq!(first(r"a\1", "a\u{1}").as_deref(), Some("a\u{1}"));
    assert_eq!(first(r"\ba\B", "ba ab").as_deref(), Some("a"));
    assert_eq!(first(r"\uD83D\uDE00", "😀").as_deref(), Some("😀"));
    assert_eq!(first(r"/[\-a]\u{1F600}/u", "-😀").as_deref(), Some("-😀"));
}

#[test]
fn flags() {
    assert_eq!(first("/V(\\d)/i", "v1").as_deref(), Some("v1"));
    assert_eq!(Expression::delimited("/\\d/g").unwrap().groups("1.2"), Some(vec![Some("1".into()), Some("2".into())]));
    assert_eq!(first("/b/y", "ab"), None);
    assert_eq!(first("//", "a//").as_deref(), Some("//"), "an empty body is no body");
    assert_eq!(fault("/a/x"), ("a regular expression has no flag `x`".into(), 3..4));
    assert_eq!(fault("/a/gg"), ("the flag `g` stands here twice".into(), 4..5));
}

#[test]
fn what_cannot_be_used_is_named() {
    let slow = |what: &str| format!("{what} cannot be used here: it takes more than linear time");
    assert_eq!(fault("v(?=1)"), (slow("lookahead `(?=`"), 1..4));
    assert_eq!(fault("v(?!1)"), (slow("negative lookahead `(?!`"), 1..4));
    assert_eq!(fault("(?<=v)1"), (slow("lookbehind `(?<=`"), 0..4));
    assert_eq!(fault("(?<!v)1"), (slow("negative lookbehind `(?<!`"), 0..4));
    assert_eq!(fault(r"/(a)\1/"), (slow(r"backreference `\1`"), 4..6));
    assert_eq!(fault(r"(?<x>a)\k<x>"), (slow(r"backreference `\k<x>`"), 7..12));
}

#[test]
fn what_javascript_would_not_take_either() {
    for (expression, message) in [
        ("(a", "`(` is never closed"),
        ("a)", "`)` without `(`"),
        ("[a", "`[` is never closed"),
        ("*a", "there is nothing to repeat"),
        ("a**", "there is nothing to repeat"),
        ("a{2}{3}", "there is nothing to repeat"),
        ("^*", "there is nothing to repeat"),
        ("[z-a]", "a range whose end comes before its beginning"),
        ("a\\", "a backslash at the end"),
        ("(?i:a)", "an unknown kind of group"),
        (r"/\-/u", r"an unknown escape `\-`"),
        (r"/[a-\d]/u", "a range that ends in a class"),
        ("(?<1>a)", "`1` is no name of a group"),
    ] {
        assert_eq!(fault(expression).0, message, "{expression}");
    }
}
