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
/// A form that is not valid is refused also where it would not be used.
///
/// # Errors
/// The first invalid form, or required variable without a value.
pub(super) fn interpolate(value: &str, environment: Environment<'_>) -> Result<Interpolated, Refusal> {
    let mut scanner = Scanner { value, position: 0, depth: 0, environment, unset: Vec::new() };
    let text = scanner.run(Until::End, true)?;
    Ok(Interpolated { text, unset: scanner.unset })
}

/// How many variables may stand inside each other; more would only serve to exhaust the stack.
const MAX_DEPTH: usize = 32;

struct Scanner<'v> {
    value: &'v str,
    position: usize,
    depth: usize,
    environment: Environment<'v>,
    unset: Vec<Unset>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Until {
    End,
    /// The brace that closes the variable whose `$` is at this byte.
    Brace(usize),
}

impl Scanner<'_> {
    fn rest(&self) -> &str {
        &self.value[self.position..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn take(&mut self, prefix: &str) -> bool {
        let there = self.rest().starts_with(prefix);
        self.position += if there { prefix.len() } else { 0 };
        there
    }

    /// A letter or `_`, then letters, digits and `_`; empty if there is no name.
    fn take_name(&mut self) -> String {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        let name = if rest.starts_with(|c: char| c.is_ascii_digit()) { "" } else { &rest[..end] };
        let name = name.to_owned();
        self.position += name.len();
        name
    }

    /// Reads up to the end; `used` says whether the text counts, or is only read to find where it ends.
    fn run(&mut self, until: Until, used: bool) -> Result<String, Refusal> {
        let mut text = String::new();
        while let Some(c) = self.peek() {
            let at = self.position;
            if let Until::Brace(opened) = until {
                match c {
                    '}' => return Ok(text),
                    '\n' => return Err(self.refuse(opened, "a line ends inside `${`")),
                    _ => {}
                }
            }
            if c != '$' {
                text.push(c);
                self.position += c.len_utf8();
                continue;
            }
            self.position += 1;
            if self.take("$") {
                text.push('$');
            } else if self.take("{") {
                text.push_str(&self.braced(at, used)?);
            } else {
                let name = self.take_name();
                if name.is_empty() {
                    text.push('$');
                } else {
                    text.push_str(&self.variable(&name, at, used));
                }
            }
        }
        match until {
            Until::End => Ok(text),
            Until::Brace(opened) => Err(self.refuse(opened, "`${` is not closed by `}`")),
        }
    }

    fn variable(&mut self, name: &str, at: usize, used: bool) -> String {
        if !used {
            return String::new();
        }
        (self.environment)(name).unwrap_or_else(|| {
            self.unset.push(Unset { name: name.to_owned(), at });
            String::new()
        })
    }

    /// Reads what follows `${`, the closing brace included.
    fn braced(&mut self, at: usize, used: bool) -> Result<String, Refusal> {
        if self.peek() == Some('{') {
            let hint = "GitHub expressions are not expanded here; pass the value through `env:` of the step and write \
                        `${NAME}`, or write `$$` for a literal `$`";
            return Err(Refusal { at, message: "`${{` starts no variable".into(), hint: Some(hint.into()) });
        }
        let name = self.take_name();
        if name.is_empty() {
            return Err(self.refuse(at, "`${` is not followed by a variable's name"));
        }
        if self.take("}") {
            return Ok(self.variable(&name, at, used));
        }
        let or_empty = self.take(":");
        let Some(sign) = self.peek().filter(|c| matches!(c, '-' | '+' | '?')) else {
            let message = match self.peek() {
                None => "`${` is not closed by `}`".to_owned(),
                Some(_) => format!("`${{{name}` is followed by neither `}}` nor `:-`, `-`, `:?`, `?`, `:+` or `+`"),
            };
            return Err(self.refuse(at, message));
        };
        self.position += sign.len_utf8();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(at, format!("more than {MAX_DEPTH} variables stand inside each other")));
        }

        let value = (self.environment)(&name);
        let present = value.as_ref().is_some_and(|value| !or_empty || !value.is_empty());
        let wanted = if sign == '+' { present } else { !present };
        let operand = self.run(Until::Brace(at), used && wanted)?;
        self.position += 1;
        self.depth -= 1;
        match sign {
            _ if !used => Ok(String::new()),
            '+' => Ok(if present { operand } else { String::new() }),
            '?' if !present => Err(missing(&name, value.is_some(), &operand, at)),
            _ => Ok(if present { value.unwrap_or_default() } else { operand }),
        }
    }

    fn refuse(&self, at: usize, message: impl Into<String>) -> Refusal {
        let hint = "write `$$` for a literal `$`";
        Refusal { at, message: message.into(), hint: Some(hint.into()) }
    }
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
        ] {
            assert_eq!(text(value), expected, "{value}");
        }
    }

    #[test]
    fn what_is_not_used_does_not_count() {
        let unused = interpolate("${A:-${NONE:?never}${OTHER}}${NONE:+$OTHER}", &environment).unwrap();
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
            ("x${A:-${A}", 1, unclosed),
            ("${NONE:-x\ny}", 0, "a line ends inside `${`"),
            ("${{ github.sha }}", 0, "`${{` starts no variable"),
            ("${A:-${}}", 5, nameless),
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
