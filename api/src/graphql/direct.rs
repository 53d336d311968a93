//! Objects written straight into the JSON of the answer.
//!
//! async-graphql makes a future and a value in memory of each field. Most fields are there already when their object is: these are
//! written by plain functions, which the attribute [`Object`](stoa_macros::Object) finds, in one pass over the list. What must
//! be waited for is resolved as ever, all of a list at once, so that loaders see it together. What comes of an object is its JSON,
//! as [`Value::Binary`], which [`super::json`] takes over as it is.
//!
//! Invariant: the bytes are those that async-graphql's own way gives (`tests/stories/direct.rs` asks both ways).
//!
//! JSON that is written can't be merged with more of the same object. A document that asks for an object in two places of
//! one selection set, `{ me { id } me { name } }`, is resolved as async-graphql does it: only a request whose document
//! asks for each once may be answered in this way ([`Unmerged`]).

use std::{
    borrow::{Borrow, Cow},
    future::poll_fn,
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::Poll,
};

use async_graphql::{
    ContainerType, ContextSelectionSet, ID, OutputType, Positioned, ServerResult, Value,
    parser::types::{Field, Selection, SelectionSet},
    registry::Registry,
    resolver_utils::resolve_list,
};

use super::{json, scalars::DateTime, unmerged::Unmerged};
use crate::access::{Denied, Redactions, Shown};

/// Writes a direct field of an object.
pub(crate) type Put<T> = fn(&T, &mut Sink<'_>);

/// An object that may have direct fields. Implemented by the attribute `Object`.
pub(crate) trait Direct: ContainerType {
    /// What writes the field with this name; `None` if it must be waited for, or is not a leaf.
    fn direct(_field: &str) -> Option<Put<Self>> {
        None
    }
}

/// A value without fields, which is written at once.
pub(crate) trait Leaf {
    /// Writes it as JSON.
    fn put(&self, sink: &mut Sink<'_>);
}

/// Where an object's JSON goes, and the place in the answer that is written to.
pub(crate) struct Sink<'a> {
    out: &'a mut Vec<u8>,
    object: &'a ContextSelectionSet<'a>,
    /// The place of the object in its list.
    index: Option<usize>,
    field: &'a Positioned<Field>,
    redactions: Option<&'a Redactions>,
}

impl Sink<'_> {
    /// Writes text as a JSON string.
    pub(crate) fn text(&mut self, text: &str) {
        json::string(self.out, text);
    }

    /// Writes `null`.
    pub(crate) fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    fn denied(&mut self, denied: Denied) {
        self.null();
        if let Some(error) = self.redactions.and_then(|redactions| redactions.hold_back(denied)) {
            self.failed(error);
        }
    }

    /// Tells an error at this place.
    fn failed(&self, error: async_graphql::Error) {
        let tell = |object: &ContextSelectionSet<'_>| {
            let place = object.with_field(self.field);
            place.add_error(place.set_error_path(error.into_server_error(self.field.pos)));
        };
        match self.index {
            Some(index) => tell(&self.object.with_index(index)),
            None => tell(self.object),
        }
    }
}

macro_rules! leaves {
    ($($ty:ty: |$this:ident, $sink:ident| $put:expr;)+) => {
        $(impl Leaf for $ty {
            fn put(&self, $sink: &mut Sink<'_>) {
                let $this = self;
                $put;
            }
        })+
    };
}

leaves! {
    str: |this, sink| sink.text(this);
    String: |this, sink| sink.text(this);
    ID: |this, sink| sink.text(this);
    bool: |this, sink| sink.out.extend_from_slice(if *this { b"true" } else { b"false" });
    u32: |this, sink| json::serialize(sink.out, this);
    i32: |this, sink| json::serialize(sink.out, this);
    f64: |this, sink| json::serialize(sink.out, this);
    DateTime: |this, sink| sink.text(&this.0.to_string());
}

impl<T: Leaf + ?Sized> Leaf for &T {
    fn put(&self, sink: &mut Sink<'_>) {
        T::put(self, sink);
    }
}

impl<T: Leaf> Leaf for Option<T> {
    fn put(&self, sink: &mut Sink<'_>) {
        match self {
            Some(value) => value.put(sink),
            None => sink.null(),
        }
    }
}

impl<T: Leaf> Leaf for Shown<T> {
    fn put(&self, sink: &mut Sink<'_>) {
        match self {
            Self::Visible(value) => value.put(sink),
            Self::Denied(denied) => sink.denied(*denied),
            Self::Failed(fault) => {
                sink.null();
                sink.failed(fault.clone().into());
            }
        }
    }
}

/// Names enumerations that are leaves.
macro_rules! enums {
    ($($ty:ty),+ $(,)?) => {
        $(impl $crate::graphql::direct::Leaf for $ty {
            fn put(&self, sink: &mut $crate::graphql::direct::Sink<'_>) {
                sink.text(
                    <$ty as async_graphql::resolver_utils::EnumType>::items()
                        .iter()
                        .find(|item| item.value == *self)
                        .map_or("", |item| item.name),
                );
            }
        })+
    };
}

pub(crate) use enums;

/// Finds out whether a type is a leaf: of the two traits with these methods the compiler takes the first that fits.
pub(crate) struct Probe<T>(PhantomData<fn() -> T>);

impl<T> Probe<T> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

/// For types that are leaves.
pub(crate) trait OfLeaf<T> {
    fn is_leaf(&self) -> bool {
        true
    }

    fn put(&self, value: &T, sink: &mut Sink<'_>);
}

impl<T: Leaf> OfLeaf<T> for &Probe<T> {
    fn put(&self, value: &T, sink: &mut Sink<'_>) {
        value.put(sink);
    }
}

/// For all others.
pub(crate) trait NoLeaf<T> {
    fn is_leaf(&self) -> bool {
        false
    }

    fn put(&self, _: &T, sink: &mut Sink<'_>) {
        sink.null();
    }
}

impl<T> NoLeaf<T> for Probe<T> {}

/// What is wanted of an object, found once for a whole list.
struct Plan<'a, T> {
    steps: Vec<Step<'a, T>>,
    /// How many of them must be waited for.
    waited: usize,
}

/// A field.
struct Step<'a, T> {
    key: &'a str,
    field: &'a Positioned<Field>,
    how: How<T>,
}

enum How<T> {
    /// It is written.
    Put(Put<T>),
    /// It is the name of the type.
    TypeName,
    /// It is waited for.
    Wait,
}

impl<'a, T: Direct> Plan<'a, T> {
    /// `None` if it is for async-graphql's own way.
    fn of(ctx: &ContextSelectionSet<'a>) -> Option<Self> {
        ctx.data_opt::<Unmerged>()?;
        let mut plan = Self { steps: Vec::with_capacity(ctx.item.node.items.len()), waited: 0 };
        plan.take(ctx, &ctx.item.node, &T::type_name()).then_some(plan)
    }

    fn take(&mut self, ctx: &ContextSelectionSet<'a>, selected: &'a SelectionSet, of: &str) -> bool {
        selected.items.iter().all(|selection| {
            let (condition, selected) = match &selection.node {
                Selection::Field(field) => return self.take_field(field),
                Selection::FragmentSpread(spread) => {
                    let Some(fragment) = ctx.query_env.fragments.get(&spread.node.fragment_name.node) else {
                        return false;
                    };
                    (Some(&fragment.node.type_condition), &fragment.node.selection_set)
                }
                Selection::InlineFragment(fragment) => {
                    (fragment.node.type_condition.as_ref(), &fragment.node.selection_set)
                }
            };
            let applies = condition.is_none_or(|condition| {
                let on = condition.node.on.node.as_str();
                on == of || ctx.schema_env.registry.implements.get(of).is_some_and(|all| all.contains(on))
            });
            !applies || self.take(ctx, &selected.node, of)
        })
    }

    fn take_field(&mut self, field: &'a Positioned<Field>) -> bool {
        let (key, name) = (field.node.response_key().node.as_str(), field.node.name.node.as_str());
        if !field.node.directives.is_empty() {
            return false;
        }
        if self.steps.iter().any(|step| step.key == key) {
            // A leaf twice is a leaf once; validation has seen that both are the same.
            return field.node.selection_set.node.items.is_empty();
        }
        let how = match T::direct(name) {
            Some(put) => How::Put(put),
            None if name == "__typename" => How::TypeName,
            None => {
                self.waited += 1;
                How::Wait
            }
        };
        self.steps.push(Step { key, field, how });
        true
    }

    fn waited(&self) -> impl Iterator<Item = &'a Positioned<Field>> {
        self.steps.iter().filter(|step| matches!(step.how, How::Wait)).map(|step| step.field)
    }

    /// Writes one object. `values` begins with what was waited for, in the order of the fields.
    fn write(
        &self,
        out: &mut Vec<u8>,
        (ctx, index): (&ContextSelectionSet<'_>, Option<usize>),
        object: &T,
        values: &mut impl Iterator<Item = Value>,
    ) {
        let redactions = ctx.data_opt::<Arc<Redactions>>().map(|redactions| &**redactions);
        out.push(b'{');
        for (at, step) in self.steps.iter().enumerate() {
            out.extend_from_slice(if at > 0 { b",\"" } else { b"\"" });
            out.extend_from_slice(step.key.as_bytes());
            out.extend_from_slice(b"\":");
            match step.how {
                How::Put(put) => {
                    put(object, &mut Sink { out: &mut *out, object: ctx, index, field: step.field, redactions });
                }
                How::TypeName => json::string(out, &T::type_name()),
                How::Wait => json::write(out, &values.next().unwrap_or_default()),
            }
        }
        out.push(b'}');
    }
}

/// Resolves one object; `None` if it is for async-graphql's own way.
pub(crate) async fn resolve<T: Direct>(ctx: &ContextSelectionSet<'_>, object: &T) -> Option<ServerResult<Value>> {
    let plan = Plan::<T>::of(ctx)?;
    Some(written(ctx, object, &plan).await)
}

async fn written<T: Direct>(ctx: &ContextSelectionSet<'_>, object: &T, plan: &Plan<'_, T>) -> ServerResult<Value> {
    let values = if plan.waited == 0 {
        Vec::new()
    } else {
        let wanted = plan.waited().map(|field| Wanted { object, place: ctx, field, in_list: false });
        all(wanted.collect()).await?
    };
    let mut out = Vec::with_capacity(64 * plan.steps.len());
    plan.write(&mut out, (ctx, None), object, &mut values.into_iter());
    Ok(Value::Binary(out.into()))
}

/// A list of objects.
pub(crate) struct List<T>(pub(crate) Vec<T>);

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self(items.into_iter().collect())
    }
}

/// A list of objects that stand elsewhere.
pub(crate) struct Refs<'a, T>(pub(crate) Vec<&'a T>);

macro_rules! lists {
    ($($ty:ty),+) => {
        $(impl<T: Direct> OutputType for $ty {
            fn type_name() -> Cow<'static, str> {
                Vec::<T>::type_name()
            }

            fn qualified_type_name() -> String {
                Vec::<T>::qualified_type_name()
            }

            fn create_type_info(registry: &mut Registry) -> String {
                Vec::<T>::create_type_info(registry)
            }

            async fn resolve(&self, ctx: &ContextSelectionSet<'_>, field: &Positioned<Field>) -> ServerResult<Value> {
                resolve_items::<T, _>(ctx, field, &self.0).await
            }
        })+
    };
}

lists!(List<T>, Refs<'_, T>);

async fn resolve_items<T: Direct, I: Borrow<T> + OutputType>(
    ctx: &ContextSelectionSet<'_>,
    field: &Positioned<Field>,
    items: &[I],
) -> ServerResult<Value> {
    let Some(plan) = Plan::<T>::of(ctx) else { return resolve_list(ctx, field, items, Some(items.len())).await };
    let places: Vec<_> = match plan.waited {
        0 => Vec::new(),
        _ => (0..items.len()).map(|index| ctx.with_index(index)).collect(),
    };
    let mut wanted = Vec::with_capacity(plan.waited * places.len());
    for (item, place) in items.iter().zip(&places) {
        wanted.extend(plan.waited().map(|field| Wanted { object: item.borrow(), place, field, in_list: true }));
    }
    let values = all(wanted).await?;
    let mut values = values.into_iter();
    let mut out = Vec::with_capacity(2 + 64 * plan.steps.len() * items.len());
    json::list(&mut out, items.iter().enumerate(), |out, (index, item)| {
        plan.write(out, (ctx, Some(index)), item.borrow(), &mut values);
    });
    Ok(Value::Binary(out.into()))
}

/// A field of an object that must be waited for.
struct Wanted<'a, T> {
    object: &'a T,
    place: &'a ContextSelectionSet<'a>,
    field: &'a Positioned<Field>,
    in_list: bool,
}

type Waiting<'a> = Pin<Box<dyn Future<Output = ServerResult<Value>> + Send + 'a>>;

impl<'a, T: Direct> Wanted<'a, T> {
    // The type of the future is forgotten: types of the graph contain each other.
    fn begin(self) -> Waiting<'a> {
        let Self { object, place, field, in_list } = self;
        Box::pin(async move {
            let at = place.with_field(field);
            let resolved = object.resolve_field(&at).await;
            let value = resolved.map_err(|error| if in_list { place.set_error_path(error) } else { error })?;
            Ok(value.unwrap_or_default())
        })
    }
}

/// The values of all fields, in their order, or the first error. All begin before any goes on, so that loaders see their keys
/// together; of what is there at once nothing is kept but its value.
async fn all<T: Direct>(wanted: Vec<Wanted<'_, T>>) -> ServerResult<Vec<Value>> {
    enum Slot<'a> {
        Waiting(Waiting<'a>),
        There(Value),
    }
    let mut slots = Vec::with_capacity(wanted.len());
    let mut wanted = wanted.into_iter();
    poll_fn(|cx| {
        let mut pending = false;
        for slot in &mut slots {
            if let Slot::Waiting(future) = slot {
                match future.as_mut().poll(cx) {
                    Poll::Pending => pending = true,
                    Poll::Ready(value) => *slot = Slot::There(value?),
                }
            }
        }
        for next in wanted.by_ref() {
            let mut future = next.begin();
            slots.push(match future.as_mut().poll(cx) {
                Poll::Pending => {
                    pending = true;
                    Slot::Waiting(future)
                }
                Poll::Ready(value) => Slot::There(value?),
            });
        }
        if pending { Poll::Pending } else { Poll::Ready(ServerResult::Ok(())) }
    })
    .await?;
    let there = |slot| match slot {
        Slot::There(value) => value,
        Slot::Waiting(_) => Value::Null,
    };
    Ok(slots.into_iter().map(there).collect())
}
