//! The syntax of patterns, by the rules of Go's `filepath.Match` and `filepath.Clean`.

/// Whether a pattern is well formed, as far as BuildKit looks.
///
/// It matches the pattern against the path `.` and takes no notice of the result, only of a fault that comes up, so
/// what stands after a piece between `*`s that does not match is never looked at.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(pattern: &[u8]) -> Result<(), String> {
    let mut rest = pattern;
    let mut left = Left::Dot;
    while !rest.is_empty() {
        let stars = rest.iter().take_while(|byte| **byte == b'*').count();
        let (chunk, after) = rest[stars..].split_at(chunk_end(&rest[stars..]));
        if chunk.is_empty() {
            return Ok(());
        }
        let is_last = after.is_empty();
        let fits = |found: Option<Left>| found.filter(|left| *left == Left::Nothing || !is_last);
        let mut found = fits(match_chunk(chunk, left)?);
        if found.is_none() && stars > 0 && left == Left::Dot {
            found = fits(match_chunk(chunk, Left::Nothing)?);
        }
        match found {
            Some(now) => left = now,
            None => return Ok(()),
        }
        rest = after;
    }
    Ok(())
}

/// What is left of the path `.` to be matched.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Left {
    Dot,
    Nothing,
}

/// The end of what stands before the next `*`; one between brackets does not count, and a `]` closes them even as
/// the first character.
fn chunk_end(text: &[u8]) -> usize {
    let mut inside = false;
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 1,
            b'[' => inside = true,
            b']' => inside = false,
            b'*' if !inside => return at,
            _ => {}
        }
        at += 1;
    }
    text.len()
}

/// Matches a piece of a pattern without `*` to the end of that piece; `None` where it does not match.
fn match_chunk(chunk: &[u8], mut left: Left) -> Result<Option<Left>, String> {
    let mut matches = true;
    let mut rest = chunk;
    while let Some((byte, after)) = rest.split_first() {
        let takes_dot;
        (takes_dot, rest) = match byte {
            b'[' => class_has_dot(after)?,
            b'?' => (true, after),
            b'\\' => {
                let (escaped, after) = after.split_first().ok_or("nothing follows the last `\\`")?;
                (*escaped == b'.', after)
            }
            byte => (*byte == b'.', after),
        };
        matches &= left == Left::Dot && takes_dot;
        left = Left::Nothing;
    }
    Ok(matches.then_some(left))
}

/// Passes over a character class after its `[`, and tells whether a dot is in it.
fn class_has_dot(text: &[u8]) -> Result<(bool, &[u8]), String> {
    let negated = text.starts_with(b"^");
    let mut rest = &text[usize::from(negated)..];
    let mut found = None;
    loop {
        if let (Some(found), Some(after)) = (found, rest.strip_prefix(b"]")) {
            return Ok((found != negated, after));
        }
        let (low, after) = member(rest)?;
        let (high, after) = match after.strip_prefix(b"-") {
            Some(high) => member(high)?,
            None => (low, after),
        };
        found = Some(found == Some(true) || (low <= '.' && '.' <= high));
        rest = after;
    }
}

/// Reads one character of a class, after which something must follow.
fn member(text: &[u8]) -> Result<(char, &[u8]), String> {
    let unclosed = "a `[` is not closed";
    let text = match text.first().ok_or(unclosed)? {
        byte @ (b'-' | b']') => {
            return Err(format!("`{}` stands where a character of the `[…]` is expected", char::from(*byte)));
        }
        b'\\' => &text[1..],
        _ => text,
    };
    let valid = text.utf8_chunks().next().ok_or(unclosed)?.valid();
    let Some(c) = valid.chars().next() else { return Err("a character of a `[…]` is not UTF-8".into()) };
    match &text[c.len_utf8()..] {
        [] => Err(unclosed.into()),
        rest => Ok((c, rest)),
    }
}

/// Removes empty and `.` components, and resolves `..`; a `..` that climbs out of a relative path stays.
pub(super) fn clean(path: &[u8]) -> Vec<u8> {
    let rooted = path.starts_with(b"/");
    let mut components: Vec<&[u8]> = Vec::new();
    for component in path.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." if components.last().is_some_and(|last| *last != b"..") => drop(components.pop()),
            b".." if rooted => {}
            _ => components.push(component),
        }
    }
    let joined = components.join(&b'/');
    match (rooted, joined.is_empty()) {
        (true, _) => [b"/", joined.as_slice()].concat(),
        (false, true) => b".".to_vec(),
        (false, false) => joined,
    }
}

/// Without the white space around it.
pub(super) fn trim(text: &[u8]) -> &[u8] {
    let lead = text.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let mut text = &text[lead.len() - lead.trim_start().len()..];
    // No character of white space is longer than three bytes.
    let last = |text: &[u8]| {
        (1..=text.len().min(3)).find(|length| {
            let character = std::str::from_utf8(&text[text.len() - length..]);
            character.is_ok_and(|character| character.trim().is_empty())
        })
    };
    while let Some(length) = last(text) {
        text = &text[..text.len() - length];
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_formed_and_not() {
        for text in ["a]b", "[^a]", "[b-a]", "[[:alpha:]]", "\\a", "[\\]]", "a[*]b", "^", "a*[", "a/*/\\", "?*a*["] {
            assert_eq!(check(text.as_bytes()), Ok(()), "{text}");
        }
        for text in
            ["[", "[]", "[]a]", "a[", "[a-]", "[-a]", "[a-]b]", "a\\", "[a\\", "*[", "[.]*[", ".*[", "[]*]", "?*["]
        {
            assert!(check(text.as_bytes()).is_err(), "{text}");
        }
        assert!(check(b"[\xff]").is_err() && check(b"\xff").is_ok());
    }

    #[test]
    fn cleaned() {
        for (path, expected) in [
            ("", "."),
            ("/", "/"),
            ("a//b/./c/", "a/b/c"),
            ("a/../b", "b"),
            ("../../x", "../../x"),
            ("a/../../x", "../x"),
            ("/../x", "/x"),
            ("a/..", "."),
        ] {
            assert_eq!(clean(path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn trimmed() {
        assert_eq!(trim("\u{a0}\t a b\u{3000}\r ".as_bytes()), b"a b");
        assert_eq!(trim(b" \xff\x85 "), b"\xff\x85", "half a character is no white space");
        assert_eq!(trim(b"  "), b"");
    }
}
