//! The schema as somebody in a role sees it: `stoa schema --as ROLE`.
//!
//! What is left out comes from the schema itself: its `@personal` directives are printed from the policy's table. A field
//! stays if the role can see it of at least somebody, were it herself.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::{
    Name, Positioned, Value as ConstValue,
    parser::{
        parse_schema,
        types::{
            BaseType, ConstDirective, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};

use super::printer;
use crate::access::Relation;

/// Whose view of the schema is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Role {
    /// Who has not signed in
    Anybody,
    /// Who takes courses
    Learner,
    /// Who teaches a course
    Instructor,
    /// Who assists in a course
    Assistant,
    /// Who helps people with their accounts
    Support,
    /// Who reads sums
    Analyst,
    /// Who runs the system
    Administrator,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Anybody,
        Self::Learner,
        Self::Instructor,
        Self::Assistant,
        Self::Support,
        Self::Analyst,
        Self::Administrator,
    ];

    /// As it is given on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anybody => "anybody",
            Self::Learner => "learner",
            Self::Instructor => "instructor",
            Self::Assistant => "assistant",
            Self::Support => "support",
            Self::Analyst => "analyst",
            Self::Administrator => "administrator",
        }
    }

    /// What somebody in this role, and in no other, can be to somebody.
    pub const fn relations(self) -> &'static [Relation] {
        use Relation as R;
        match self {
            Self::Anybody => &[R::Audience, R::Stranger],
            Self::Learner => &[R::Oneself, R::Correspondent, R::Classmate, R::Audience, R::Stranger],
            Self::Instructor => {
                &[R::Oneself, R::Staff, R::FormerStaff, R::Moderator, R::Correspondent, R::Audience, R::Stranger]
            }
            Self::Assistant => &[R::Oneself, R::Staff, R::FormerStaff, R::Correspondent, R::Audience, R::Stranger],
            Self::Support => &[R::Oneself, R::Audience, R::CaseHolder, R::Support, R::Stranger],
            Self::Analyst => &[R::Oneself, R::Audience, R::Analyst, R::Stranger],
            Self::Administrator => &[R::Oneself, R::Audience, R::CaseHolder, R::Administrator, R::Stranger],
        }
    }

    fn is_any_of(self, relations: &[String]) -> Vec<&'static str> {
        let own = self.relations().iter().map(|relation| relation.as_str());
        own.filter(|own| relations.iter().any(|relation| relation == own)).collect()
    }
}

const HOLDERS: &[Role] = &[Role::Support, Role::Administrator];

/// The fields of the roots that are `FORBIDDEN` to everybody else. A story asks for each.
pub const FOR_ROLES: &[(&str, &str, &[Role])] = &[
    ("Query", "cases", HOLDERS),
    ("Mutation", "openCase", HOLDERS),
    ("Mutation", "approveCase", HOLDERS),
    ("Mutation", "closeCase", HOLDERS),
    ("Mutation", "grantRole", &[Role::Administrator]),
    ("Mutation", "revokeRole", &[Role::Administrator]),
];

/// The mutations that need nobody to have signed in. A story asks for the others.
pub const FOR_ANYBODY: &[&str] =
    &["signUp", "signIn", "signOut", "verifyEmail", "requestPasswordReset", "resetPassword"];

/// The schema as somebody in this role sees it, and what was left out and why.
///
/// # Panics
/// If the schema can't be read, which a test excludes.
pub fn sdl_as(role: Role) -> String {
    let sdl = super::sdl();
    let document = parse_schema(&sdl).expect("what was printed can be read");
    let mut types: Vec<TypeDefinition> = Vec::new();
    for definition in document.definitions {
        if let TypeSystemDefinition::Type(ty) = definition {
            types.push(ty.node);
        }
    }
    // Directives and roots come after the last type, without empty lines.
    let tail = sdl.rsplit_once("\n\n").map_or("", |(_, tail)| tail);
    let mut left_out = LeftOut::default();
    for ty in &mut types {
        restrict(ty, role, &mut left_out);
    }
    remove_empty(&mut types, &mut left_out);
    remove_unreachable(&mut types, tail, &mut left_out);
    let is_there = |name: &str| types.iter().any(|ty| ty.name.node == name);
    let mut text = left_out.head(role);
    for ty in &types {
        text += &printer::definition(ty);
    }
    for line in tail.lines() {
        let root = line.strip_prefix("  ").and_then(|line| line.split_once(": "));
        if root.is_none_or(|(_, name)| is_there(name)) {
            text += line;
            text += "\n";
        }
    }
    text
}

/// What is not in a view.
#[derive(Default)]
struct LeftOut {
    /// By the audience that the role is none of: the fields.
    personal: BTreeMap<String, Vec<String>>,
    for_others: Vec<String>,
    types: BTreeSet<String>,
}

impl LeftOut {
    fn head(&self, role: Role) -> String {
        let mut text = format!(
            "# The schema as seen by the role `{0}`: printed by `stoa schema --as {0}`.\n#\n\
             # `@personal(seenBy:)` names of a field's audience only what this role can be, so it says of whom the field can be\n\
             # seen: ONESELF is the viewer herself. For anybody else the field is null.\n",
            role.as_str()
        );
        let mut section = |title: &str, lines: &mut dyn Iterator<Item = String>| {
            let lines: Vec<_> = lines.collect();
            if !lines.is_empty() {
                text += &format!("#\n# {title}\n");
            }
            for line in lines {
                text += &format!("#   {line}\n");
            }
        };
        section(
            "Left out, since this role sees it of nobody (and who does):",
            &mut self.personal.iter().map(|(audience, fields)| format!("{}: {audience}", fields.join(" "))),
        );
        section("Left out, since it is for others:", &mut self.for_others.iter().cloned());
        section("Types that nothing leads to without these:", &mut self.types.iter().cloned());
        text + "\n"
    }
}

/// Leaves out the fields that are not for the role, and what of an audience it is not.
fn restrict(ty: &mut TypeDefinition, role: Role, left_out: &mut LeftOut) {
    let name = ty.name.node.clone();
    let Some(fields) = fields_mut(&mut ty.kind) else { return };
    fields.retain_mut(|field| {
        let path = format!("{name}.{}", field.node.name.node);
        if !is_for(role, &name, &field.node.name.node) {
            left_out.for_others.push(path);
            return false;
        }
        let Some(audience) = audience_mut(&mut field.node.directives) else { return true };
        let names: Vec<String> = names(audience);
        let own = role.is_any_of(&names);
        if own.is_empty() {
            left_out.personal.entry(names.join(", ")).or_default().push(path);
            return false;
        }
        *audience = ConstValue::List(own.into_iter().map(|name| ConstValue::Enum(Name::new(name))).collect());
        true
    });
}

fn is_for(role: Role, ty: &str, field: &str) -> bool {
    if ty == "Mutation" && role == Role::Anybody && !FOR_ANYBODY.contains(&field) {
        return false;
    }
    let only = FOR_ROLES.iter().find(|(of, name, _)| (*of, *name) == (ty, field));
    only.is_none_or(|(.., roles)| roles.contains(&role))
}

fn audience_mut(directives: &mut [Positioned<ConstDirective>]) -> Option<&mut ConstValue> {
    let personal = directives.iter_mut().find(|directive| directive.node.name.node == "personal")?;
    let audience = personal.node.arguments.iter_mut().find(|(name, _)| name.node == "seenBy")?;
    Some(&mut audience.1.node)
}

fn names(audience: &ConstValue) -> Vec<String> {
    let ConstValue::List(items) = audience else { return Vec::new() };
    items.iter().map(ToString::to_string).collect()
}

fn fields_mut(kind: &mut TypeKind) -> Option<&mut Vec<Positioned<FieldDefinition>>> {
    match kind {
        TypeKind::Object(object) => Some(&mut object.fields),
        TypeKind::Interface(interface) => Some(&mut interface.fields),
        _ => None,
    }
}

fn named(ty: &Type) -> &Name {
    match &ty.base {
        BaseType::Named(name) => name,
        BaseType::List(of) => named(of),
    }
}

/// Leaves out types without fields, the fields that lead to them, and so on until nothing is empty.
fn remove_empty(types: &mut Vec<TypeDefinition>, left_out: &mut LeftOut) {
    loop {
        let mut gone = BTreeSet::new();
        types.retain_mut(|ty| {
            let is_empty = match &mut ty.kind {
                TypeKind::Union(union) => union.members.is_empty(),
                kind => fields_mut(kind).is_some_and(|fields| fields.is_empty()),
            };
            if is_empty {
                gone.insert(ty.name.node.to_string());
            }
            !is_empty
        });
        if gone.is_empty() {
            return;
        }
        for ty in types.iter_mut() {
            if let TypeKind::Union(union) = &mut ty.kind {
                union.members.retain(|member| !gone.contains(member.node.as_str()));
            }
            if let TypeKind::Object(object) = &mut ty.kind {
                object.implements.retain(|interface| !gone.contains(interface.node.as_str()));
            }
            if let Some(fields) = fields_mut(&mut ty.kind) {
                fields.retain(|field| !gone.contains(named(&field.node.ty.node).as_str()));
            }
        }
        left_out.types.append(&mut gone);
    }
}

/// Leaves out the types that nothing leads to.
fn remove_unreachable(types: &mut Vec<TypeDefinition>, tail: &str, left_out: &mut LeftOut) {
    let mut next: Vec<String> = ["Query", "Mutation", "Subscription"].map(str::to_owned).to_vec();
    // What the arguments of directives are made of.
    let words = tail.split(|letter: char| !letter.is_alphanumeric()).map(str::to_owned);
    next.extend(words);
    let mut reached = BTreeSet::new();
    while let Some(name) = next.pop() {
        let Some(ty) = types.iter().find(|ty| ty.name.node == name) else { continue };
        if !reached.insert(name.clone()) {
            continue;
        }
        let inputs = |inputs: &[Positioned<InputValueDefinition>]| {
            inputs.iter().map(|input| named(&input.node.ty.node).to_string()).collect::<Vec<_>>()
        };
        let fields = match &ty.kind {
            TypeKind::Object(object) => {
                next.extend(object.implements.iter().map(|name| name.node.to_string()));
                object.fields.as_slice()
            }
            TypeKind::Interface(interface) => {
                let implements = |ty: &&TypeDefinition| match &ty.kind {
                    TypeKind::Object(object) => object.implements.iter().any(|of| of.node == *name),
                    _ => false,
                };
                next.extend(types.iter().filter(implements).map(|ty| ty.name.node.to_string()));
                interface.fields.as_slice()
            }
            TypeKind::Union(union) => {
                next.extend(union.members.iter().map(|name| name.node.to_string()));
                &[]
            }
            TypeKind::InputObject(input) => {
                next.extend(inputs(&input.fields));
                &[]
            }
            TypeKind::Scalar | TypeKind::Enum(_) => &[],
        };
        for field in fields {
            next.push(named(&field.node.ty.node).to_string());
            next.extend(inputs(&field.node.arguments));
        }
    }
    types.retain(|ty| {
        let stays = reached.contains(ty.name.node.as_str());
        if !stays {
            left_out.types.insert(ty.name.node.to_string());
        }
        stays
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The types that something in a view names, and those that it defines.
    fn named_and_defined(sdl: &str) -> (BTreeSet<String>, BTreeSet<String>) {
        let (mut uses, mut defined) = (BTreeSet::new(), BTreeSet::new());
        for definition in parse_schema(sdl).unwrap().definitions {
            let TypeSystemDefinition::Type(mut ty) = definition else { continue };
            defined.insert(ty.node.name.node.to_string());
            match &ty.node.kind {
                TypeKind::Object(object) => uses.extend(object.implements.iter().map(|name| name.node.to_string())),
                TypeKind::Union(union) => uses.extend(union.members.iter().map(|name| name.node.to_string())),
                TypeKind::InputObject(input) => {
                    uses.extend(input.fields.iter().map(|field| named(&field.node.ty.node).to_string()));
                }
                _ => {}
            }
            for field in fields_mut(&mut ty.node.kind).into_iter().flatten() {
                uses.insert(named(&field.node.ty.node).to_string());
                uses.extend(field.node.arguments.iter().map(|argument| named(&argument.node.ty.node).to_string()));
            }
        }
        for built_in in ["ID", "String", "Int", "Float", "Boolean"] {
            uses.remove(built_in);
        }
        (uses, defined)
    }

    #[test]
    fn a_view_is_a_schema_of_its_own() {
        for role in Role::ALL {
            let sdl = sdl_as(role);
            let (uses, defined) = named_and_defined(&sdl);
            assert_eq!(uses.difference(&defined).collect::<Vec<_>>(), Vec::<&String>::new(), "{role:?} lacks types");
            assert!(defined.contains("Course") && sdl.contains("\nschema {\n  query: Query\n"), "{role:?}");
        }
    }
}
