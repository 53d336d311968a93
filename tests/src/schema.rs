//! The schema, as a running server tells of itself.

use std::{collections::BTreeMap, fmt};

use serde_json::Value;

use crate::Client;

const INTROSPECTION: &str = "{ __schema { queryType { name } types {
    name kind enumValues(includeDeprecated: true) { name } possibleTypes { name }
    fields(includeDeprecated: true) { name type { ...Named } args { name defaultValue type { ...Named } } }
    inputFields { name defaultValue type { ...Named } } } } }
    fragment Named on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }";

/// The types of a schema, by name.
#[derive(Debug)]
pub struct Schema {
    /// The type whose fields are asked for first.
    pub query: String,
    types: BTreeMap<String, Type>,
}

/// A type.
#[derive(Debug, Default)]
pub struct Type {
    /// The fields of an object or interface.
    pub fields: Vec<Field>,
    /// The objects that an interface or union may be.
    pub possible: Vec<String>,
    /// The values of an enum.
    pub values: Vec<String>,
    /// The fields of an input object.
    pub inputs: Vec<Input>,
    /// Whether it is asked for without a selection.
    pub is_leaf: bool,
    /// Whether it can be asked for by its fields only.
    pub is_abstract: bool,
}

/// A field of an object.
#[derive(Debug)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type, without lists and non-nulls around it.
    pub named: String,
    /// What it takes.
    pub arguments: Vec<Input>,
}

/// An argument, or a field of an input object.
#[derive(Clone, Debug)]
pub struct Input {
    /// Its name.
    pub name: String,
    /// Its type.
    pub of: TypeRef,
    /// Whether it must be given.
    pub is_required: bool,
}

/// The type of an argument.
#[derive(Clone, Debug)]
pub enum TypeRef {
    /// By name.
    Named(String),
    /// A list.
    List(Box<Self>),
    /// Never null.
    NonNull(Box<Self>),
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(of) => write!(f, "[{of}]"),
            Self::NonNull(of) => write!(f, "{of}!"),
        }
    }
}

impl Schema {
    /// Asks a server for its schema.
    pub async fn ask(client: &Client) -> Self {
        let schema = client.data(INTROSPECTION).await["__schema"].take();
        let types = list(&schema["types"]).filter(|ty| !text(&ty["name"]).starts_with("__"));
        Self {
            query: text(&schema["queryType"]["name"]),
            types: types.map(|ty| (text(&ty["name"]), read(ty))).collect(),
        }
    }

    /// A type by its name.
    ///
    /// # Panics
    /// If the schema names a type that it does not hold.
    pub fn get(&self, name: &str) -> &Type {
        self.types.get(name).unwrap_or_else(|| panic!("the schema names the type {name}, and does not hold it"))
    }

    /// Every field that a query can reach, as `Type.field`.
    pub fn reachable(&self) -> Vec<String> {
        let (mut reached, mut next) = (Vec::new(), vec![self.query.as_str()]);
        let mut seen = next.clone();
        while let Some(name) = next.pop() {
            let ty = self.get(name);
            if !ty.is_abstract {
                reached.extend(ty.fields.iter().map(|field| format!("{name}.{}", field.name)));
            }
            for name in ty.fields.iter().map(|field| &field.named).chain(&ty.possible) {
                if !seen.contains(&name.as_str()) {
                    seen.push(name);
                    next.push(name);
                }
            }
        }
        reached
    }
}

fn read(ty: &Value) -> Type {
    let kind = text(&ty["kind"]);
    Type {
        fields: list(&ty["fields"])
            .map(|field| Field {
                name: text(&field["name"]),
                named: innermost(&field["type"]),
                arguments: list(&field["args"]).map(input).collect(),
            })
            .collect(),
        possible: list(&ty["possibleTypes"]).map(|possible| text(&possible["name"])).collect(),
        values: list(&ty["enumValues"]).map(|value| text(&value["name"])).collect(),
        inputs: list(&ty["inputFields"]).map(input).collect(),
        is_leaf: matches!(kind.as_str(), "SCALAR" | "ENUM"),
        is_abstract: matches!(kind.as_str(), "INTERFACE" | "UNION"),
    }
}

fn input(input: &Value) -> Input {
    let of = type_ref(&input["type"]);
    let is_required = matches!(of, TypeRef::NonNull(_)) && input["defaultValue"].is_null();
    Input { name: text(&input["name"]), of, is_required }
}

fn type_ref(of: &Value) -> TypeRef {
    match of["kind"].as_str() {
        Some("NON_NULL") => TypeRef::NonNull(Box::new(type_ref(&of["ofType"]))),
        Some("LIST") => TypeRef::List(Box::new(type_ref(&of["ofType"]))),
        _ => TypeRef::Named(text(&of["name"])),
    }
}

fn innermost(of: &Value) -> String {
    of["name"].as_str().map_or_else(|| innermost(&of["ofType"]), str::to_owned)
}

fn list(values: &Value) -> impl Iterator<Item = &Value> {
    values.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
