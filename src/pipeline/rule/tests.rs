use std::sync::Arc;

use super::*;
use crate::diagnostic::Source;

fn message(text: &str) -> String {
    parse(text).unwrap_err().message
}

#[test]
fn a_bare_word_is_a_raw_value_and_the_last_one_wins() {
    let rule = parse("a, b").unwrap();
    assert_eq!(rule.kind, RuleKind::Raw { value: Piece { text: "b".into(), range: 3..4 } });
    assert_eq!(parse("=x").unwrap().kind, RuleKind::Raw { value: Piece { text: "=x".into(), range: 0..2 } });
}

#[test]
fn keys_are_in_any_case_and_values_are_not() {
    assert_eq!(parse("TYPE=sha, Format=long").unwrap().kind, RuleKind::Sha { long: true });
    assert_eq!(message("type=SHA"), "unknown type `SHA`");
}

#[test]
fn priorities_prefixes_and_what_nobody_knows() {
    let rule = parse("type=ref,event=pr,colour=red,priority=7.5").unwrap();
    assert_eq!(rule.kind, RuleKind::Ref(RefEvent::Pr));
    assert_eq!(rule.priority, 7.5);
    assert_eq!(rule.prefix.map(|piece| piece.text).as_deref(), Some("pr-"));
    assert_eq!(parse("type=sha,prefix=").unwrap().prefix.map(|piece| piece.text).as_deref(), Some(""));
    assert!(parse("type=raw,value=a,priority=high").unwrap().priority.is_nan());
}

#[test]
fn the_value_keeps_its_further_equals_signs() {
    let rule = parse("type=raw,value=a=b==c").unwrap();
    assert_eq!(rule.kind, RuleKind::Raw { value: Piece { text: "a=b==c".into(), range: 15..21 } });
}

#[test]
fn what_is_missing_or_wrong() {
    assert_eq!(message("type=semver"), "there is no `pattern`");
    assert_eq!(message("type=raw"), "there is no `value`");
    assert_eq!(message("type=ref"), "there is no `event`");
    assert_eq!(message("type=ref,event=PR"), "`event` must be one of `branch`, `tag`, `pr`, not `PR`");
    assert_eq!(message("type=sha,format=full"), "`format` must be one of `short`, `long`, not `full`");
    assert_eq!(message("type=match,pattern=x,group=one"), "`group` must be a number, not `one`");
}

#[test]
fn the_place_is_inside_of_the_rule() {
    let text = "tags: ['type=raw,value=é,colour=x', \"type=what\"]\n";
    let source = Arc::new(Source { name: "f".into(), text: text.into() });
    let place = Place { source, line: 1, column: 37, length: 11 };
    let told = parse("type=what").unwrap_err().in_rule("type=what", Some(&place));
    let place = told.place.unwrap();
    assert_eq!((place.column, place.length), (43, 4));
}

#[test]
fn lists_one_entry_a_line() {
    let list = "\n  # comment\r\n type=sha \n\n#type=raw\n  # no comment\n";
    assert_eq!(lines(list).collect::<Vec<_>>(), ["type=sha", "# no comment"]);
}
