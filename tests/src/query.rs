//! A query as a tree, from which parts can be taken.

use std::fmt;

use serde_json::{Map, Value as Json, json};

use crate::schema::TypeRef;

/// A query, and the headers that go with it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// What is asked for.
    pub selections: Vec<Selection>,
    /// Headers.
    pub headers: Vec<(&'static str, String)>,
}

/// A field, or a fragment.
#[derive(Clone, Debug)]
pub struct Selection {
    /// What it is.
    pub what: What,
    /// What is asked for of it.
    pub inside: Vec<Self>,
}

/// What a selection is.
#[derive(Clone, Debug)]
pub enum What {
    /// A field.
    Field {
        /// Under which name its value comes, if not under its own.
        alias: Option<String>,
        /// Of which type, and which.
        field: (String, String),
        /// What it is given.
        arguments: Vec<Argument>,
        /// Whether it has no fields of its own.
        is_leaf: bool,
    },
    /// The fields of a type, in place or by name.
    Fragment {
        /// The type.
        on: String,
        /// Whether it stands beside the query, under a name.
        is_named: bool,
    },
}

/// An argument of a field.
#[derive(Clone, Debug)]
pub struct Argument {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: TypeRef,
    /// What is given.
    pub value: Value,
    /// Whether it is given as a variable.
    pub is_variable: bool,
    /// Whether it can't be left out.
    pub is_required: bool,
}

/// A value in a query. An enum's value is written as a name there, and as a text in a variable.
#[derive(Clone, Debug)]
pub enum Value {
    /// The value of an enum.
    Name(String),
    /// A list.
    List(Vec<Self>),
    /// An input object.
    Object(Vec<(String, Self)>),
    /// Anything else.
    Plain(Json),
}

impl Value {
    fn to_json(&self) -> Json {
        match self {
            Self::Name(name) => json!(name),
            Self::List(values) => values.iter().map(Self::to_json).collect(),
            Self::Object(fields) => {
                fields.iter().map(|(name, value)| (name.clone(), value.to_json())).collect::<Map<_, _>>().into()
            }
            Self::Plain(value) => value.clone(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::List(values) => {
                write!(f, "[{}]", values.iter().map(Self::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Object(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                write!(f, "{{ {} }}", fields.join(", "))
            }
            Self::Plain(value) => write!(f, "{value}"),
        }
    }
}

impl Query {
    /// The text and the variables.
    pub fn written(&self) -> (String, Json) {
        let mut writer = Writer::default();
        let body = writer.set(&self.selections);
        let variables: Vec<_> = writer.variables.iter().map(|(name, of, _)| format!("${name}: {of}")).collect();
        let head = if variables.is_empty() { String::new() } else { format!("query({}) ", variables.join(", ")) };
        let values = writer.variables.iter().map(|(name, _, value)| (name.clone(), value.clone()));
        let variables = values.collect::<Map<_, _>>().into();
        (std::iter::once(head + &body).chain(writer.fragments).collect::<Vec<_>>().join("\n"), variables)
    }

    /// Takes the part with this number away: a field or fragment with all that is in it, an argument or a header.
    /// Large parts come before what they hold. Answers whether there is such a part.
    pub fn take_away(&mut self, part: usize) -> bool {
        let mut at = part;
        if take_away(&mut self.selections, &mut at) {
            return true;
        }
        let found = at < self.headers.len();
        if found {
            self.headers.remove(at);
        }
        found
    }

    /// Every field that is asked for, as `Type.field`.
    pub fn fields(&self) -> Vec<String> {
        fn collect(selections: &[Selection], fields: &mut Vec<String>) {
            for selection in selections {
                if let What::Field { field: (of, name), .. } = &selection.what {
                    fields.push(format!("{of}.{name}"));
                }
                collect(&selection.inside, fields);
            }
        }
        let mut fields = Vec::new();
        collect(&self.selections, &mut fields);
        fields
    }

    /// The cursors in an answer, each with the field that it belongs to.
    pub fn cursors(&self, answer: &Json) -> Vec<(String, String)> {
        let mut cursors = Vec::new();
        collect_cursors(&self.selections, &answer["data"], "", &mut cursors);
        cursors
    }
}

fn take_away(selections: &mut Vec<Selection>, at: &mut usize) -> bool {
    for index in 0..selections.len() {
        if *at == 0 {
            selections.remove(index);
            return true;
        }
        *at -= 1;
        let selection = &mut selections[index];
        if let What::Field { arguments, .. } = &mut selection.what {
            let optional = arguments.iter().enumerate().filter(|(_, argument)| !argument.is_required);
            let optional: Vec<_> = optional.map(|(index, _)| index).collect();
            if let Some(index) = optional.get(*at) {
                arguments.remove(*index);
                return true;
            }
            *at -= optional.len();
        }
        if take_away(&mut selection.inside, at) {
            return true;
        }
    }
    false
}

fn collect_cursors(selections: &[Selection], value: &Json, list: &str, cursors: &mut Vec<(String, String)>) {
    if let Json::Array(values) = value {
        for value in values {
            collect_cursors(selections, value, list, cursors);
        }
        return;
    }
    for Selection { what, inside } in selections {
        match what {
            What::Fragment { .. } => collect_cursors(inside, value, list, cursors),
            What::Field { alias, field: (_, name), arguments, .. } => {
                let value = &value[alias.as_ref().unwrap_or(name)];
                if let (Some(cursor), "cursor" | "startCursor" | "endCursor") = (value.as_str(), name.as_str()) {
                    cursors.push((list.to_owned(), cursor.to_owned()));
                }
                let is_list = arguments.iter().any(|argument| matches!(argument.name.as_str(), "first" | "last"));
                collect_cursors(inside, value, if is_list { name } else { list }, cursors);
            }
        }
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, variables) = self.written();
        write!(f, "{text}\nwith the variables {variables}")?;
        self.headers.iter().try_for_each(|(name, value)| write!(f, "\nwith the header {name}: {value}"))
    }
}

#[derive(Default)]
struct Writer {
    variables: Vec<(String, String, Json)>,
    fragments: Vec<String>,
}

impl Writer {
    fn set(&mut self, selections: &[Selection]) -> String {
        // What has had everything taken from it is still asked whether it is there.
        let inside: Vec<_> = selections.iter().map(|selection| self.selection(selection)).collect();
        if inside.is_empty() { "{ __typename }".to_owned() } else { format!("{{ {} }}", inside.join(" ")) }
    }

    fn selection(&mut self, selection: &Selection) -> String {
        match &selection.what {
            What::Fragment { on, is_named: false } => format!("... on {on} {}", self.set(&selection.inside)),
            What::Fragment { on, is_named: true } => {
                let body = self.set(&selection.inside);
                let name = format!("Part{}", self.fragments.len());
                self.fragments.push(format!("fragment {name} on {on} {body}"));
                format!("...{name}")
            }
            What::Field { alias, field: (_, name), arguments, is_leaf } => {
                let mut text = alias.as_ref().map_or_else(String::new, |alias| format!("{alias}: ")) + name;
                if !arguments.is_empty() {
                    let arguments: Vec<_> = arguments.iter().map(|argument| self.argument(argument)).collect();
                    text += &format!("({})", arguments.join(", "));
                }
                if !is_leaf {
                    text += &format!(" {}", self.set(&selection.inside));
                }
                text
            }
        }
    }

    fn argument(&mut self, argument: &Argument) -> String {
        if argument.is_variable {
            let name = format!("v{}", self.variables.len());
            self.variables.push((name.clone(), argument.of.to_string(), argument.value.to_json()));
            format!("{}: ${name}", argument.name)
        } else {
            format!("{}: {}", argument.name, argument.value)
        }
    }
}
