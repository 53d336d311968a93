//! What a document selects, in a form that is quick to check and to price.
//!
//! It depends on schema and document only, so it can be kept beside a parsed document; what the variables change is left open.
//! Fragments stay what they are: each is looked at once, however often it is used, so that one which uses another twice, which
//! uses another twice, and so on, costs us nothing.

use std::collections::HashMap;

use async_graphql::{
    Name, Pos, Positioned, ServerError,
    parser::types::{Directive, ExecutableDocument, Field as AstField, OperationDefinition, Selection, SelectionSet},
};
use async_graphql_value::Value;

use super::{
    LimitSettings,
    exceeded::Exceeded,
    measure::{Bounds, Measure},
    prices::{PAGE_ARGUMENTS, Price, Size},
};
use crate::graphql::index::{Field, Index, Type};

/// What a document selects.
#[derive(Debug)]
pub(crate) struct Shape {
    pub(super) operations: Vec<Operation>,
    pub(super) fragments: Vec<Part>,
    /// The places of all fragments, each behind those that it uses.
    pub(super) order: Vec<usize>,
}

#[derive(Debug)]
pub(super) struct Operation {
    pub(super) name: Option<Name>,
    pub(super) part: Part,
    /// What a variable counts for if it is not given.
    pub(super) defaults: HashMap<Name, u64>,
}

/// Some selections on one type.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) items: Vec<Item>,
}

#[derive(Debug)]
pub(super) enum Item {
    Field(Selected),
    /// Selections of a fragment without a name.
    Inline {
        part: Part,
        applies: Applies,
    },
    /// A use of a fragment, by its place among them.
    Spread {
        fragment: usize,
        applies: Applies,
    },
}

/// When the selections of a fragment count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Applies {
    Always,
    /// When the thing is of this type, of those that an interface or a union has.
    To(Name),
    /// It is left out, whatever the variables are.
    Never,
}

#[derive(Debug)]
pub(super) struct Selected {
    /// What it is called in the answer.
    pub(super) key: Name,
    pub(super) has_alias: bool,
    pub(super) pos: Pos,
    pub(super) price: Price,
    /// What says how long the list is, the first that is there.
    pub(super) counts: Vec<Count>,
    pub(super) inside: Option<Part>,
    /// Whether it leads from the schema to more of the schema.
    pub(super) is_introspection: bool,
    /// `false` if it is left out, whatever the variables are.
    pub(super) is_asked: bool,
}

/// How many things are asked for.
#[derive(Clone, Debug)]
pub(super) enum Count {
    Number(u64),
    Variable(Name),
}

/// The price of a field that is none of the schema's, until the validation says so.
const UNKNOWN: Price = Price { weight: 1, size: Size::One };
/// The fields of a type of the schema that lead to many others.
const INTROSPECTION: [&str; 4] = ["fields", "interfaces", "possibleTypes", "inputFields"];

impl Shape {
    /// The shape of a document, if it is within the limits.
    pub(crate) fn of(
        document: &ExecutableDocument,
        index: &'static Index,
        settings: &LimitSettings,
    ) -> Result<Self, Box<ServerError>> {
        let refused = |exceeded: Box<Exceeded>| Box::new(ServerError::from(*exceeded));
        let count = document.fragments.len() as u64;
        Exceeded::check("fragments", (count, settings.fragments), None, || {
            format!("the document has {count} fragments")
        })
        .map_err(refused)?;
        let names: Vec<&Name> = document.fragments.keys().collect();
        let numbered = names.iter().enumerate().map(|(number, name)| {
            let on = index.get(&document.fragments[*name].node.type_condition.node.on.node);
            (*name, (number, on))
        });
        let numbers = numbered.collect();
        let mut reader = Reader { index, settings, numbers, uses: Vec::new(), directives: 0 };
        let mut parts = Vec::with_capacity(names.len());
        let mut uses = Vec::with_capacity(names.len());
        for name in &names {
            let fragment = &document.fragments[*name].node;
            let on = index.get(&fragment.type_condition.node.on.node);
            reader.directives(&fragment.directives).map_err(refused)?;
            parts.push(reader.part(&fragment.selection_set.node, on).map_err(refused)?);
            uses.push(std::mem::take(&mut reader.uses));
        }
        let mut operations = Vec::with_capacity(document.operations.iter().len());
        for (name, operation) in document.operations.iter() {
            operations.push((operation.pos, reader.operation(name, &operation.node).map_err(refused)?));
        }
        let order = order(&uses).map_err(|circle| {
            let names: Vec<_> = circle.iter().map(|number| names[*number].as_str()).collect();
            Box::new(cyclic(&names, document.fragments[names[0]].pos))
        })?;
        let bounds = Bounds::new(settings);
        let mut measured = vec![Measure::default(); parts.len()];
        for number in &order {
            let measure = Measure::of(&parts[*number], &measured);
            bounds.check(&measure, document.fragments[names[*number]].pos).map_err(refused)?;
            measured[*number] = measure;
        }
        let mut all = Measure::default();
        for (pos, operation) in &operations {
            let measure = Measure::of(&operation.part, &measured);
            all = all.beside(measure);
            bounds.check(&all, *pos).and_then(|()| bounds.check_operation(&measure, *pos)).map_err(refused)?;
        }
        let operations = operations.into_iter().map(|(_, operation)| operation).collect();
        Ok(Self { operations, fragments: parts, order })
    }
}

/// All fragments, each behind those that it uses; or some that use each other in a circle.
fn order(uses: &[Vec<usize>]) -> Result<Vec<usize>, Vec<usize>> {
    #[derive(Clone, Copy, PartialEq)]
    enum State {
        New,
        Begun,
        Done,
    }
    let (mut order, mut states) = (Vec::with_capacity(uses.len()), vec![State::New; uses.len()]);
    for start in 0..uses.len() {
        // Not by recursion: there may be as many fragments as are allowed, in one row.
        let mut path: Vec<(usize, usize)> = Vec::new();
        if states[start] == State::New {
            states[start] = State::Begun;
            path.push((start, 0));
        }
        while let Some((number, used)) = path.last_mut() {
            let number = *number;
            let Some(other) = uses[number].get(*used).copied() else {
                states[number] = State::Done;
                order.push(number);
                path.pop();
                continue;
            };
            *used += 1;
            if states[other] == State::New {
                states[other] = State::Begun;
                path.push((other, 0));
            } else if states[other] == State::Begun {
                let circle = path.iter().map(|(number, _)| *number).skip_while(|number| *number != other);
                return Err(circle.collect());
            }
        }
    }
    Ok(order)
}

fn cyclic(names: &[&str], pos: Pos) -> ServerError {
    let circle = names.iter().chain(names.first()).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" → ");
    let mut error = ServerError::new(format!("a fragment may not use itself: {circle}"), Some(pos));
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_VALIDATION_FAILED");
    error
}

struct Reader<'a> {
    index: &'static Index,
    settings: &'a LimitSettings,
    /// Each fragment's place, and what it is on.
    numbers: HashMap<&'a Name, (usize, Option<&'static Type>)>,
    /// The fragments that were used in what was read last.
    uses: Vec<usize>,
    directives: u64,
}

type Outcome<T> = Result<T, Box<Exceeded>>;

impl Reader<'_> {
    fn operation(&mut self, name: Option<&Name>, operation: &OperationDefinition) -> Outcome<Operation> {
        let count = operation.variable_definitions.len() as u64;
        let pos = operation.variable_definitions.first().map(|variable| variable.pos);
        let what = || format!("the operation has {count} variables");
        Exceeded::check("variables", (count, self.settings.variables), pos, what)?;
        self.directives(&operation.directives)?;
        let mut defaults = HashMap::new();
        for variable in &operation.variable_definitions {
            self.directives(&variable.node.directives)?;
            if let Some(value) = &variable.node.default_value {
                let default = value.node.clone().into_value();
                self.value(&default, value.pos)?;
                defaults.extend(size_of(&default).map(|size| (variable.node.name.node.clone(), size)));
            }
        }
        let part = self.part(&operation.selection_set.node, self.index.root(operation.ty))?;
        Ok(Operation { name: name.cloned(), part, defaults })
    }

    /// The brackets were counted before, so this goes only so deep.
    fn part(&mut self, selections: &SelectionSet, on: Option<&'static Type>) -> Outcome<Part> {
        let mut items = Vec::with_capacity(selections.items.len());
        let applies = |to: Option<&'static Type>, is_asked: bool| match to {
            _ if !is_asked => Applies::Never,
            Some(to) if !to.is_abstract && on.is_some_and(|on| on.is_abstract) => Applies::To(Name::new(&*to.name)),
            _ => Applies::Always,
        };
        for selection in &selections.items {
            self.directives(selection.node.directives())?;
            let is_asked = !is_left_out(selection.node.directives());
            match &selection.node {
                Selection::Field(field) => items.push(Item::Field(self.field(field, on, is_asked)?)),
                Selection::InlineFragment(fragment) => {
                    let to = match &fragment.node.type_condition {
                        Some(condition) => self.index.get(&condition.node.on.node),
                        None => on,
                    };
                    let part = self.part(&fragment.node.selection_set.node, to)?;
                    items.push(Item::Inline { part, applies: applies(to, is_asked) });
                }
                Selection::FragmentSpread(spread) => {
                    // One that is not there is the validation's to name.
                    if let Some((fragment, to)) = self.numbers.get(&spread.node.fragment_name.node).copied() {
                        self.uses.push(fragment);
                        items.push(Item::Spread { fragment, applies: applies(to, is_asked) });
                    }
                }
            }
        }
        Ok(Part { items })
    }

    fn field(&mut self, field: &Positioned<AstField>, on: Option<&'static Type>, is_asked: bool) -> Outcome<Selected> {
        let ast = &field.node;
        for (_, value) in &ast.arguments {
            self.value(&value.node, value.pos)?;
        }
        let name = ast.name.node.as_str();
        let known = on.and_then(|on| on.field(name));
        let of = known.and_then(|known| self.index.get(&known.of));
        let inside = &ast.selection_set.node;
        Ok(Selected {
            key: ast.response_key().node.clone(),
            has_alias: ast.alias.is_some(),
            pos: field.pos,
            price: known.map_or(UNKNOWN, |known| known.price),
            counts: known.map(|known| counts(known, ast)).unwrap_or_default(),
            inside: (!inside.items.is_empty()).then(|| self.part(inside, of)).transpose()?,
            is_introspection: on.is_some_and(|on| &*on.name == "__Type") && INTROSPECTION.contains(&name),
            is_asked,
        })
    }

    fn directives(&mut self, directives: &[Positioned<Directive>]) -> Outcome<()> {
        let Some(first) = directives.first() else { return Ok(()) };
        let (here, pos) = (directives.len() as u64, Some(first.pos));
        let what = || format!("there are {here} directives at one place");
        Exceeded::check("field_directives", (here, self.settings.field_directives), pos, what)?;
        self.directives += here;
        let all = self.directives;
        let what = || format!("the document has {all} directives or more");
        Exceeded::check("directives", (all, self.settings.directives), pos, what)?;
        for (_, value) in directives.iter().flat_map(|directive| &directive.node.arguments) {
            self.value(&value.node, value.pos)?;
        }
        Ok(())
    }

    fn value(&self, value: &Value, pos: Pos) -> Outcome<()> {
        match value {
            Value::List(items) => {
                let count = items.len() as u64;
                let what = || format!("a list has {count} values");
                Exceeded::check("list_items", (count, self.settings.list_items), Some(pos), what)?;
                items.iter().try_for_each(|item| self.value(item, pos))
            }
            Value::Object(fields) => fields.values().try_for_each(|value| self.value(value, pos)),
            _ => Ok(()),
        }
    }
}

/// Whether it is left out whatever the variables are. What depends on a variable counts, since it may be there.
fn is_left_out(directives: &[Positioned<Directive>]) -> bool {
    directives.iter().any(|directive| {
        let condition = directive.node.get_argument("if").map(|value| &value.node);
        match directive.node.name.node.as_str() {
            "skip" => condition == Some(&Value::Boolean(true)),
            "include" => condition == Some(&Value::Boolean(false)),
            _ => false,
        }
    })
}

/// What says how many things a field leads to.
fn counts(field: &'static Field, ast: &AstField) -> Vec<Count> {
    let arguments = match field.price.size {
        Size::Asked(arguments) => arguments,
        Size::Page => PAGE_ARGUMENTS,
        Size::One | Size::Assumed(_) | Size::OfPage => return Vec::new(),
    };
    let given = arguments.iter().filter_map(|name| match &ast.get_argument(name)?.node {
        Value::Variable(name) => Some(Count::Variable(name.clone())),
        value => size_of(value).map(Count::Number),
    });
    let default = |name: &&str| field.default_of(name).map(|number| Count::Number(number.max(0).unsigned_abs()));
    given.chain(arguments.iter().filter_map(default)).collect()
}

/// How many things a value asks for: a number is one, and a list asks for as many as it has.
fn size_of(value: &Value) -> Option<u64> {
    match value {
        Value::Number(number) => Some(number.as_u64().unwrap_or_default()),
        Value::List(items) => Some(items.len() as u64),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_come_after_those_they_use_and_circles_are_found() {
        assert_eq!(order(&[vec![1, 2], vec![2], vec![], vec![0, 0]]), Ok(vec![2, 1, 0, 3]));
        assert_eq!(order(&[vec![0]]), Err(vec![0]));
        assert_eq!(order(&[vec![1], vec![2], vec![1]]), Err(vec![1, 2]));
        let row: Vec<_> = (0..100_000).map(|number| if number < 99_999 { vec![number + 1] } else { vec![] }).collect();
        assert_eq!(order(&row).unwrap()[0], 99_999);
    }
}
