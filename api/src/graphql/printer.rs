//! Type definitions as text, in the form that `stoa schema` prints.

use async_graphql::parser::types::{ConstDirective, FieldDefinition, InputValueDefinition, TypeDefinition, TypeKind};
use async_graphql::{Name, Positioned};

/// A definition, with an empty line after it.
pub(super) fn definition(ty: &TypeDefinition) -> String {
    let mut text = String::new();
    describe(&mut text, 0, ty.description.as_ref());
    let (word, implements): (_, &[Positioned<Name>]) = match &ty.kind {
        TypeKind::Scalar => ("scalar", &[]),
        TypeKind::Object(object) => ("type", &object.implements),
        TypeKind::Interface(interface) => ("interface", &interface.implements),
        TypeKind::Union(_) => ("union", &[]),
        TypeKind::Enum(_) => ("enum", &[]),
        TypeKind::InputObject(_) => ("input", &[]),
    };
    text += &format!("{word} {}", ty.name.node);
    if !implements.is_empty() {
        text += &format!(" implements {}", joined(implements, " & "));
    }
    direct(&mut text, &ty.directives);
    match &ty.kind {
        TypeKind::Scalar => text += "\n",
        TypeKind::Union(union) => text += &format!(" = {}\n", joined(&union.members, " | ")),
        TypeKind::Object(object) => block(&mut text, &object.fields, field),
        TypeKind::Interface(interface) => block(&mut text, &interface.fields, field),
        TypeKind::InputObject(input) => block(&mut text, &input.fields, |text, input| {
            describe(text, 1, input.description.as_ref());
            *text += "  ";
            value(text, input);
        }),
        TypeKind::Enum(values) => block(&mut text, &values.values, |text, value| {
            describe(text, 1, value.description.as_ref());
            *text += &format!("  {}", value.value.node);
            direct(text, &value.directives);
        }),
    }
    text + "\n"
}

fn joined(names: &[Positioned<Name>], between: &str) -> String {
    names.iter().map(|name| name.node.as_str()).collect::<Vec<_>>().join(between)
}

fn block<T>(text: &mut String, items: &[Positioned<T>], write: impl Fn(&mut String, &T)) {
    *text += " {\n";
    for item in items {
        write(text, &item.node);
        *text += "\n";
    }
    *text += "}\n";
}

fn field(text: &mut String, field: &FieldDefinition) {
    describe(text, 1, field.description.as_ref());
    *text += &format!("  {}", field.name.node);
    if !field.arguments.is_empty() {
        *text += "(";
        for (place, argument) in field.arguments.iter().enumerate() {
            *text += if place == 0 { "\n" } else { ",\n" };
            describe(text, 2, argument.node.description.as_ref());
            *text += "    ";
            value(text, &argument.node);
        }
        *text += "\n  )";
    }
    *text += &format!(": {}", field.ty.node);
    direct(text, &field.directives);
}

fn value(text: &mut String, value: &InputValueDefinition) {
    *text += &format!("{}: {}", value.name.node, value.ty.node);
    if let Some(default) = &value.default_value {
        *text += &format!(" = {}", default.node);
    }
    direct(text, &value.directives);
}

fn direct(text: &mut String, directives: &[Positioned<ConstDirective>]) {
    for directive in directives.iter().map(|directive| &directive.node) {
        *text += &format!(" @{}", directive.name.node);
        let arguments: Vec<_> =
            directive.arguments.iter().map(|(name, value)| format!("{}: {}", name.node, value.node)).collect();
        if !arguments.is_empty() {
            *text += &format!("({})", arguments.join(", "));
        }
    }
}

fn describe(text: &mut String, level: usize, description: Option<&Positioned<String>>) {
    let Some(description) = description.map(|description| &description.node) else { return };
    let indent = "  ".repeat(level);
    if description.contains('\n') {
        *text += &format!("{indent}\"\"\"\n");
        for line in description.lines() {
            *text += format!("{indent}{line}").trim_end();
            *text += "\n";
        }
        *text += &format!("{indent}\"\"\"\n");
    } else {
        *text += &format!("{indent}\"{}\"\n", description.replace('"', "\\\""));
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::{parse_schema, types::TypeSystemDefinition};

    use super::*;

    #[test]
    fn what_is_read_is_written_as_it_was() {
        let sdl = crate::graphql::sdl();
        let mut written = String::new();
        for found in parse_schema(&sdl).unwrap().definitions {
            if let TypeSystemDefinition::Type(ty) = found {
                written += &definition(&ty.node);
            }
        }
        for (line, (was, is)) in sdl.lines().zip(written.lines()).enumerate() {
            assert_eq!(was, is, "line {}", line + 1);
        }
        assert!(sdl.starts_with(&written));
    }
}
