use super::*;

struct Names;

impl Scope for Names {
    fn value(&self, name: &str, arguments: &Arguments) -> Result<Option<Value>, String> {
        Ok(Some(match name {
            "branch" => Value::Text("a&b='c'".into()),
            "empty" => Value::Text(String::new()),
            "zero" => Value::Number("0".into()),
            "call" if arguments.values.is_empty() => return Err("`call` takes a text".into()),
            "call" => {
                let pairs: Vec<String> = arguments.pairs.iter().map(|(key, value)| format!("{key}:{value}")).collect();
                Value::Text(format!("{}|{}", arguments.values[0], pairs.join(",")))
            }
            _ => return Ok(None),
        }))
    }
}

fn render(text: &str) -> Result<String, String> {
    parse(text).and_then(|template| template.render(&Names)).map_err(|fault| fault.message)
}

fn ok(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

#[test]
fn names_are_replaced_and_escaped() {
    assert_eq!(render("x-{{ branch }}-y"), ok("x-a&amp;b&#x3D;&#x27;c&#x27;-y"));
    assert_eq!(render("{{{branch}}}"), ok("a&b='c'"));
    assert_eq!(render("{{&branch}}"), ok("a&b='c'"));
    assert_eq!(render("{{this.branch}}{{./empty}}"), render("{{branch}}"));
    assert_eq!(render("{{unknown}}{{../branch}}{{branch.length}}"), ok(""));
    assert_eq!(render("{{this}}{{@root}}{{@index}}{{@root.empty}}"), ok("[object Object][object Object]"));
}

#[test]
fn braces_that_are_text() {
    assert_eq!(render("a}}b{c}"), ok("a}}b{c}"));
    assert_eq!(render("\\{{branch}}-{{empty}}"), ok("{{branch}}-"));
    assert_eq!(render("{{#if zero}}x{{else}}}{{/if}}"), ok("}"));
    assert_eq!(render("a{{! not this }}b{{!-- nor }} this --}}c"), ok("abc"));
    assert_eq!(render("a{{!--~}} b{{!--x}} --~}} c"), ok("abc"));
}

#[test]
fn calls() {
    assert_eq!(render("{{call 'it\\'s' tz='A/B'}}"), ok("it&#x27;s|tz:A/B"));
    assert_eq!(render("{{call 12.5 a=true}}"), ok("12.5|a:true"));
    assert_eq!(render("{{call (call 'x')}}"), ok("x||"));
    assert_eq!(render("{{call branch}}{{call (branch)}}"), ok("[object Object]|a&amp;b&#x3D;&#x27;c&#x27;|"));
    assert_eq!(render("{{call}}"), Err("`call` takes a text".into()));
    assert_eq!(render("{{unknown 'x'}}"), Err("nothing is called `unknown` that takes arguments".into()));
}

#[test]
fn choices() {
    assert_eq!(render("{{#if branch}}yes{{else}}no{{/if}}"), ok("yes"));
    assert_eq!(render("{{#if zero}}yes{{else}}no{{/if}}"), ok("no"));
    assert_eq!(render("{{#unless empty}}none{{/unless}}"), ok("none"));
    assert_eq!(render("a {{~#if unknown}} x {{^}} y {{~/if}} b"), ok("a y b"));
}

#[test]
fn broken_templates_say_how() {
    for (text, message) in [
        ("{{branch", "`{{` is never closed"),
        ("{{", "`{{` is never closed"),
        ("{{branch}", "`}` cannot stand here"),
        ("{{{branch}}", "`{{{` is never closed"),
        ("{{branch}}}", "`}}}` does not close `{{`"),
        ("{{{branch}}}}", "`}}}}` does not close `{{{`"),
        ("{{if}}", "`if` cannot stand here without `#`"),
        ("{{}}", "an expression is missing here"),
        ("{{a b=}}", "an expression is missing here"),
        ("{{call 'x}}", "`{{` is never closed"),
        ("{{a%b}}", "`%` cannot stand here"),
        ("{{#if a}}", "`#if` is never closed"),
        ("{{/if}}", "`/if` without `#if`"),
        ("{{else}}", "`else` without `#if`"),
        ("{{#each a}}{{/each}}", "the block `#each` is not supported in tags; `#if` and `#unless` are"),
        ("{{> part}}", "`{{>` is not supported in tags"),
    ] {
        assert_eq!(render(text), Err(message.to_owned()), "{text}");
    }
}

#[test]
fn only_one_name() {
    let is_raw = |text: &str| parse(text).unwrap().is_only("raw");
    assert!(is_raw("{{raw}}") && is_raw("{{{ raw }}}") && is_raw("{{this.raw}}"));
    assert!(!is_raw("v{{raw}}") && !is_raw("{{'raw'}}") && !is_raw("{{version}}") && !is_raw("raw"));
}
