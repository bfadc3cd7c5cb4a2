//! What the expressions of a bake file come to, within bounds.

use std::collections::BTreeMap;

use hcl::eval::{Context, Evaluate as _};
use hcl::expr::{ObjectKey, Operation, TraversalOperator};
use hcl::template::{Directive, Element};
use hcl::{Expression, Identifier, Template, Value};

use super::forms::Variable;
use super::order::needed_first;

/// By how many bytes variables and inheritance may make a file grow: variables that double fill any memory.
const GROWTH: usize = 2 << 20;

/// How deep lists and maps of a value may be nested. A chain of variables could go on forever, and values are walked
/// by recursion.
const DEEPEST: usize = 16;

/// How deep templates may stand in templates: each is read again for every one that it stands in.
const TEMPLATES: usize = 2;

/// How many elements `a.b[0].c` may have: `[*]` costs a call for each.
const ELEMENTS: usize = 16;

/// Why a value is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It calls a function, which are the user's own, or holds a loop, or what it names is not known.
    Computed,
    /// Variables and inheritance make the file grow beyond all measure.
    TooLarge,
}

impl Unknown {
    /// As the end of a sentence.
    pub fn why(self) -> &'static str {
        match self {
            Unknown::Computed => "which is computed",
            Unknown::TooLarge => "which is too large",
        }
    }
}

/// How often each variable is named.
type Mentions = BTreeMap<String, usize>;

/// The variables of a file, and how much it may still grow.
pub(super) struct Values {
    context: Context<'static>,
    /// What a variable holds, in bytes.
    sizes: BTreeMap<String, usize>,
    left: usize,
}

impl Values {
    /// Gives variables their defaults, in whichever order they stand in the file. Says which are not known: their text is
    /// empty.
    pub fn of(variables: &[Variable]) -> (Self, Vec<(&str, Unknown)>) {
        let mut values = Values { context: Context::new(), sizes: BTreeMap::new(), left: GROWTH };
        let mut unknown = Vec::new();
        let places: BTreeMap<&str, usize> =
            variables.iter().enumerate().map(|(at, variable)| (variable.name.as_str(), at)).collect();
        let needs = variables.iter().map(|variable| {
            let mentions = mentions(&variable.value).unwrap_or_default();
            mentions.keys().filter_map(|name| places.get(name.as_str()).copied()).collect()
        });
        let needs: Vec<Vec<usize>> = needs.collect();
        // The last of a name counts.
        for at in needed_first(&needs, places.values().copied()) {
            let Variable { name, value } = &variables[at];
            let found = values.evaluate(value).and_then(|value| Ok((size(&value, 0).ok_or(Unknown::TooLarge)?, value)));
            let (size, value) = found.unwrap_or_else(|why| {
                unknown.push((name.as_str(), why));
                (0, Value::from(""))
            });
            let name = Identifier::sanitized(name);
            values.sizes.insert(name.as_str().to_owned(), size);
            values.context.declare_var(name, value);
        }
        (values, unknown)
    }

    /// What an expression comes to.
    ///
    /// # Errors
    /// If it is not known.
    pub fn evaluate(&mut self, expression: &Expression) -> Result<Value, Unknown> {
        let mentions = mentions(expression)?;
        let size =
            |(name, times): (&String, &usize)| self.sizes.get(name).map_or(0, |size| size.saturating_mul(*times));
        let grows = mentions.iter().map(size).fold(0, usize::saturating_add);
        self.grow(grows)?;
        expression.evaluate(&self.context).map_err(|_| Unknown::Computed)
    }

    /// Lets the file grow by so many bytes.
    ///
    /// # Errors
    /// If it has grown enough.
    pub fn grow(&mut self, bytes: usize) -> Result<(), Unknown> {
        self.left = self.left.checked_sub(bytes).ok_or(Unknown::TooLarge)?;
        Ok(())
    }
}

/// The variables that an expression names, unless it is one that is not evaluated. Without loops and functions, what it
/// comes to is no larger than itself and all that it names, but for the quotes of lists in texts.
fn mentions(expression: &Expression) -> Result<Mentions, Unknown> {
    let mut mentions = Mentions::new();
    look(expression, 0, &mut mentions)?;
    Ok(mentions)
}

fn look(expression: &Expression, templates: usize, mentions: &mut Mentions) -> Result<(), Unknown> {
    let mut inside = |expression: &Expression| look(expression, templates, mentions);
    match expression {
        Expression::Null | Expression::Bool(_) | Expression::Number(_) | Expression::String(_) => Ok(()),
        Expression::Array(items) => items.iter().try_for_each(inside),
        Expression::Object(fields) => fields.iter().try_for_each(|(name, value)| {
            if let ObjectKey::Expression(name) = name {
                inside(name)?;
            }
            inside(value)
        }),
        Expression::TemplateExpr(_) if templates == TEMPLATES => Err(Unknown::TooLarge),
        Expression::TemplateExpr(template) => {
            let template = Template::from_expr(template).map_err(|_| Unknown::Computed)?;
            look_in_template(&template, templates + 1, mentions)
        }
        Expression::Variable(name) => {
            *mentions.entry(name.as_str().to_owned()).or_default() += 1;
            Ok(())
        }
        Expression::Traversal(traversal) if traversal.operators.len() > ELEMENTS => Err(Unknown::TooLarge),
        Expression::Traversal(traversal) => {
            inside(&traversal.expr)?;
            traversal.operators.iter().try_for_each(|operator| match operator {
                TraversalOperator::Index(index) => inside(index),
                _ => Ok(()),
            })
        }
        Expression::Parenthesis(expression) => inside(expression),
        Expression::Conditional(conditional) => {
            inside(&conditional.cond_expr)?;
            inside(&conditional.true_expr)?;
            inside(&conditional.false_expr)
        }
        Expression::Operation(operation) => match &**operation {
            Operation::Unary(operation) => inside(&operation.expr),
            Operation::Binary(operation) => {
                inside(&operation.lhs_expr)?;
                inside(&operation.rhs_expr)
            }
        },
        // Calls and loops; loops in loops take time without bound.
        _ => Err(Unknown::Computed),
    }
}

fn look_in_template(template: &Template, templates: usize, mentions: &mut Mentions) -> Result<(), Unknown> {
    template.elements().iter().try_for_each(|element| match element {
        Element::Literal(_) => Ok(()),
        Element::Interpolation(interpolation) => look(&interpolation.expr, templates, mentions),
        Element::Directive(directive) => match &**directive {
            Directive::If(choice) => {
                look(&choice.cond_expr, templates, mentions)?;
                look_in_template(&choice.true_template, templates, mentions)?;
                choice.false_template.iter().try_for_each(|other| look_in_template(other, templates, mentions))
            }
            Directive::For(_) => Err(Unknown::Computed),
        },
    })
}

/// The bytes of a value, roughly; `None` if it is nested too deep.
fn size(value: &Value, depth: usize) -> Option<usize> {
    const EACH: usize = 16;
    if depth > DEEPEST {
        return None;
    }
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(EACH),
        Value::String(text) => Some(EACH + text.len()),
        Value::Array(items) => items.iter().try_fold(EACH, |sum, item| Some(sum + size(item, depth + 1)?)),
        Value::Object(fields) => {
            fields.iter().try_fold(EACH, |sum, (name, value)| Some(sum + EACH + name.len() + size(value, depth + 1)?))
        }
    }
}
