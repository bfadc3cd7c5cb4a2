//! Variables in a value, by the rules of the Compose specification, "Interpolation".
//!
//! `$NAME` and `${NAME}` stand for the variable; `${NAME:-default}` and `${NAME:+other}` ask whether it is set and not
//! empty, `${NAME-default}` and `${NAME+other}` whether it is set; `${NAME:?message}` and `${NAME?message}` insist
//! on it. What stands after the sign may hold variables itself, which count only if it is used. `$$` is a `$`.
//! A `$` before anything else stays. What a variable holds is not looked at again.

/// Looks a variable up.
pub(super) type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A value with its variables replaced.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Interpolated {
    /// The text.
    pub text: String,
    /// The variables that were not set and have no default; an empty text took their place.
    pub unset: Vec<Unset>,
}

/// A variable that is not set.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unset {
    /// Its name.
    pub name: String,
    /// The byte at which its `$` stands in the value.
    pub at: usize,
}

/// Why a value could not be interpolated.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The byte at which the `$` stands in the value.
    pub at: usize,
    /// What is wrong.
    pub message: String,
    /// What can be done.
    pub hint: Option<String>,
}

/// Replaces the variables in a value.
///
/// What is not used, such as the default of a variable that is set, is not looked at: nothing in it is refused.
///
/// # Errors
/// The first invalid form, or required variable without a value.
pub(super) fn interpolate(value: &str, environment: Environment<'_>) -> Result<Interpolated, Refusal> {
    let mut run = Run { environment, unset: Vec::new() };
    let text = run.replace(value, 0, 0)?;
    Ok(Interpolated { text, unset: run.unset })
}

/// How many variables may stand inside each other; more would only serve to exhaust the stack.
const MAX_DEPTH: usize = 32;

struct Run<'e> {
    environment: Environment<'e>,
    unset: Vec<Unset>,
}

/// What follows a `${`.
struct Braced<'v> {
    name: &'v str,
    /// The sign with the `:` before it, and what it is applied to.
    operation: Option<Operation<'v>>,
    /// What stands after the closing brace.
    rest: &'v str,
}

struct Operation<'v> {
    sign: u8,
    /// Whether an empty value is as good as none.
    or_empty: bool,
    operand: &'v str,
}

impl Run<'_> {
    /// Replaces the variables in a part of the value that begins at this byte of it.
    fn replace(&mut self, part: &str, start: usize, depth: usize) -> Result<String, Refusal> {
        let mut text = String::with_capacity(part.len());
        let mut rest = part;
        while let Some((before, after)) = rest.split_once('$') {
            text.push_str(before);
            let at = start + (part.len() - rest.len()) + before.len();
            if let Some(after) = after.strip_prefix('$') {
                text.push('$');
                rest = after;
            } else if let Some(after) = after.strip_prefix('{') {
                let braced = read(after, at)?;
                let operand_at = |operand: &str| start + (operand.as_ptr() as usize - part.as_ptr() as usize);
                text.push_str(&self.braced(&braced, at, operand_at, depth)?);
                rest = braced.rest;
            } else {
                let (name, after) = split_name(after);
                match name {
                    "" => text.push('$'),
                    name => text.push_str(&self.variable(name, at)),
                }
                rest = after;
            }
        }
        text.push_str(rest);
        Ok(text)
    }

    fn variable(&mut self, name: &str, at: usize) -> String {
        (self.environment)(name).unwrap_or_else(|| {
            self.unset.push(Unset { name: name.to_owned(), at });
            String::new()
        })
    }

    fn braced(
        &mut self,
        braced: &Braced<'_>,
        at: usize,
        operand_at: impl Fn(&str) -> usize,
        depth: usize,
    ) -> Result<String, Refusal> {
        let name = braced.name;
        let Some(Operation { sign, or_empty, operand }) = &braced.operation else {
            return Ok(self.variable(name, at));
        };
        let value = (self.environment)(name);
        let present = value.as_ref().is_some_and(|value| !or_empty || !value.is_empty());
        if present != (*sign == b'+') {
            return Ok(value.unwrap_or_default());
        }
        if depth == MAX_DEPTH {
            return Err(refuse(at, format!("more than {MAX_DEPTH} variables stand inside each other")));
        }
        let operand = self.replace(operand, operand_at(operand), depth + 1)?;
        match sign {
            b'?' => Err(missing(name, value.is_some(), &operand, at)),
            _ => Ok(operand),
        }
    }
}

/// Reads what follows the `${` whose `$` is at this byte.
///
/// Compose's own reader takes an operand up to the last brace of the line first, and then looks for the brace that
/// closes; where it finds none, as in `${A:-{}}`, the last brace of the line is the one.
fn read(text: &str, at: usize) -> Result<Braced<'_>, Refusal> {
    let (name, after) = split_name(text);
    if name.is_empty() {
        if text.starts_with('{') {
            let hint = "GitHub expressions are not expanded here; pass the value through `env:` of the step and write \
                        `${NAME}`, or write `$$` for a literal `$`";
            return Err(Refusal { at, message: "`${{` starts no variable".into(), hint: Some(hint.into()) });
        }
        return Err(refuse(at, "`${` is not followed by a variable's name"));
    }
    if let Some(rest) = after.strip_prefix('}') {
        return Ok(Braced { name, operation: None, rest });
    }
    let unclosed = "`${` is not closed by `}`";
    let signed = after.strip_prefix(':').unwrap_or(after);
    let Some(sign) = signed.bytes().next().filter(|sign| matches!(sign, b'-' | b'+' | b'?')) else {
        let message = match signed {
            "" => unclosed.to_owned(),
            _ => format!("`${{{name}` is followed by neither `}}` nor `:-`, `-`, `:?`, `?`, `:+` or `+`"),
        };
        return Err(refuse(at, message));
    };
    let operand = &signed[1..];
    let line = operand.split('\n').next().unwrap_or_default();
    let Some(last) = line.rfind('}') else {
        let ends = if line.len() < operand.len() { "a line ends inside `${`" } else { unclosed };
        return Err(refuse(at, ends));
    };
    let head = text.len() - operand.len();
    let end = closing_brace(&text.as_bytes()[..=head + last]).map_or(last, |end| end - head);
    let operation = Operation { sign, or_empty: after.len() > signed.len(), operand: &operand[..end] };
    Ok(Braced { name, operation: Some(operation), rest: &operand[end + 1..] })
}

/// The brace that closes the one before this text, if braces are counted as Compose does: every `{` opens, and
/// whatever follows it is passed over, be it a brace.
fn closing_brace(text: &[u8]) -> Option<usize> {
    let mut open = 1;
    // The first byte follows a `{`.
    let mut at = 1;
    while let Some(byte) = text.get(at) {
        match byte {
            b'}' => open -= 1,
            b'{' => {
                open += 1;
                at += 1;
            }
            _ => {}
        }
        if open == 0 {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// A letter or `_`, then letters, digits and `_`; and what follows. Two characters count as letters that are no ASCII:
/// they are what `s` and `k` are equal to where case does not count.
fn split_name(text: &str) -> (&str, &str) {
    let is_letter = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '\u{17f}' | '\u{212a}');
    let end = text.find(|c: char| !is_letter(c) && !c.is_ascii_digit()).unwrap_or(text.len());
    text.split_at(if text.starts_with(is_letter) { end } else { 0 })
}

fn refuse(at: usize, message: impl Into<String>) -> Refusal {
    Refusal { at, message: message.into(), hint: Some("write `$$` for a literal `$`".into()) }
}

fn missing(name: &str, set: bool, reason: &str, at: usize) -> Refusal {
    let state = if set { "empty" } else { "not set" };
    let message = match reason {
        "" => format!("variable `{name}` is {state}, but required"),
        reason => format!("variable `{name}` is {state}, but required: {reason}"),
    };
    Refusal { at, message, hint: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(name: &str) -> Option<String> {
        match name {
            "A" => Some("apple".into()),
            "a_1" => Some("lower".into()),
            "EMPTY" => Some(String::new()),
            "NESTED" => Some("${A}".into()),
            _ => None,
        }
    }

    fn text(value: &str) -> String {
        interpolate(value, &environment).unwrap().text
    }

    fn refusal(value: &str) -> (usize, String) {
        let refusal = interpolate(value, &environment).unwrap_err();
        (refusal.at, refusal.message)
    }

    #[test]
    fn what_the_forms_give() {
        for (value, expected) in [
            ("", ""),
            ("plain { } text", "plain { } text"),
            ("$A", "apple"),
            ("${A}", "apple"),
            ("$A-b${A}c", "apple-bapplec"),
            ("$a_1.x", "lower.x"),
            ("${NONE:-d}|${EMPTY:-d}|${A:-d}", "d|d|apple"),
            ("${NONE-d}|${EMPTY-d}|${A-d}", "d||apple"),
            ("${NONE:+o}|${EMPTY:+o}|${A:+o}", "||o"),
            ("${NONE+o}|${EMPTY+o}|${A+o}", "|o|o"),
            ("${A:?no}${EMPTY?no}", "apple"),
            ("${NONE:-${EMPTY:-${A}}!}", "apple!"),
            ("${NONE:-$A and $$5}", "apple and $5"),
            ("${NONE:-}", ""),
            ("${NONE:-a:-b?c}", "a:-b?c"),
            ("${NONE:-{x}}", "{x}"),
            ("$$A $${A} $$$A", "$A ${A} $apple"),
            ("$5 $(x) ^a$ $", "$5 $(x) ^a$ $"),
            ("${NESTED}", "${A}"),
            ("한${A}글", "한apple글"),
            ("${A:-{}}|${NONE:-{}}|", "apple|"),
            ("${NONE:-{}}|${A:-{}}", "{}}|apple"),
            ("${NONE:-{a}}!", "{a}!"),
            ("${A:-${}", "apple"),
            ("${A:-${NONE}\n}", "apple\n}"),
            ("${NONE:-\u{17f}}$\u{17f}", "\u{17f}"),
        ] {
            assert_eq!(text(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_used_does_not_count() {
        let unused = interpolate("${A:-${NONE:?never}${OTHER}${}}${NONE:+$OTHER}", &environment).unwrap();
        assert_eq!(unused, Interpolated { text: "apple".into(), unset: vec![] });
    }

    #[test]
    fn unset_variables_are_told() {
        let unset = interpolate("x$NONE${OTHER}${EMPTY}", &environment).unwrap().unset;
        let expected = [Unset { name: "NONE".into(), at: 1 }, Unset { name: "OTHER".into(), at: 6 }];
        assert_eq!(unset, expected);
    }

    #[test]
    fn what_is_refused() {
        let unclosed = "`${` is not closed by `}`";
        let nameless = "`${` is not followed by a variable's name";
        for (value, at, message) in [
            ("a${", 1, nameless),
            ("${}", 0, nameless),
            ("${ A}", 0, nameless),
            ("${1A}", 0, nameless),
            ("${A", 0, unclosed),
            ("${A:", 0, unclosed),
            ("x${NONE:-${A}", 9, unclosed),
            ("${NONE:-x\ny}", 0, "a line ends inside `${`"),
            ("${{ github.sha }}", 0, "`${{` starts no variable"),
            ("${NONE:-${}}", 8, nameless),
            ("${NONE:-a${EMPTY:?b}}", 9, "variable `EMPTY` is empty, but required: b"),
            ("${NONE:?}", 0, "variable `NONE` is not set, but required"),
            ("${EMPTY:?give $A}", 0, "variable `EMPTY` is empty, but required: give apple"),
            ("${NONE?why}", 0, "variable `NONE` is not set, but required: why"),
        ] {
            assert_eq!(refusal(value), (at, message.to_owned()), "{value}");
        }
        assert!(refusal("${A/x/y}").1.starts_with("`${A` is followed by neither"));
        assert!(refusal("${A:x}").1.starts_with("`${A` is followed by neither"));
    }

    #[test]
    fn depth_is_limited() {
        let nested = |depth: usize| "${NONE:-".repeat(depth) + "x" + &"}".repeat(depth);
        assert_eq!(text(&nested(MAX_DEPTH)), "x");
        assert!(refusal(&nested(100_000)).1.ends_with("stand inside each other"));
        assert_eq!(text(&"${NONE:-x}".repeat(100)), "x".repeat(100));
    }
}
