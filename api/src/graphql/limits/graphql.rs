//! `explainCost`: what a document would cost, without running it.

use async_graphql::{Context, SimpleObject, Variables, parser::parse_query};
use serde_json::{Map, Value};

use super::{LimitSettings, Shape, check_variables, price::share, scan};
use crate::graphql::{errors::Fault, index::index, scalars::int, scope::scope};

/// So many fields are told of.
const MOST: usize = 100;

/// What there is to ask about costs.
#[derive(Default)]
pub(crate) struct CostQuery;

/// What there is to ask about costs.
#[expect(clippy::unused_async, reason = "the macro wants it")]
#[async_graphql::Object]
impl CostQuery {
    /// What a document would cost, field by field, and which limits it goes beyond. It is not carried out.
    async fn explain_cost(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "The document.")] document: String,
        #[graphql(desc = "Its variables, as an object. Page sizes in them count.")] variables: Option<Value>,
        #[graphql(desc = "Which of its operations is meant, if it has several.")] operation_name: Option<String>,
    ) -> Result<Option<CostExplanation>, Fault> {
        let variables = match variables {
            None | Some(Value::Null) => Map::new(),
            Some(Value::Object(variables)) => variables,
            Some(_) => return Err(Fault::bad_input("`variables` is an object, with the variables by name")),
        };
        explain(&document, variables, operation_name.as_deref(), &scope(ctx).app.limits).map(Some)
    }
}

/// What a document costs.
#[derive(SimpleObject)]
pub(crate) struct CostExplanation {
    /// What it costs; null if a limit keeps it from being priced.
    total: Option<i32>,
    /// How much one request may cost.
    limit: i32,
    /// What its fields cost, the dearest first; at most 100 of them.
    fields: Vec<ExplainedCost>,
    /// The limits that it goes beyond. If there are none, it would be carried out as far as your budget reaches.
    limits_hit: Vec<LimitHit>,
}

/// What one field of a document costs.
#[derive(SimpleObject)]
pub(crate) struct ExplainedCost {
    /// Where it is: the names in the answer, with dots between them.
    path: String,
    /// What it costs itself, all its occurrences together.
    cost: i32,
    /// What it costs with all that is selected of it.
    with_selection: i32,
    /// How often it is taken to be there.
    times: i32,
    /// How much of the whole its own cost is, 0 to 1.
    share: f64,
}

/// A limit that a document goes beyond.
#[derive(SimpleObject)]
pub(crate) struct LimitHit {
    /// Its name, as in `extensions.limit` of the error.
    limit: String,
    /// How much may be.
    most: i32,
    /// How much there is.
    found: i32,
    /// The same for people.
    message: String,
}

fn explain(
    text: &str,
    variables: Map<String, Value>,
    operation: Option<&str>,
    settings: &LimitSettings,
) -> Result<CostExplanation, Fault> {
    let shape = scan(text, settings).and_then(|()| check_variables(&variables, settings)).map(|()| parse_query(text));
    let shape = match shape {
        Err(error) => Err(error),
        Ok(Err(_)) => return Err(Fault::bad_input("the document can't be parsed: send it as a request to learn why")),
        Ok(Ok(document)) => Shape::of(&document, index(), settings),
    };
    let limit = int(settings.cost.cast_signed());
    let shape = match shape {
        Ok(shape) => shape,
        Err(error) => {
            let Some(hit) = hit(&error) else { return Err(Fault::bad_input(error.message)) };
            return Ok(CostExplanation { total: None, limit, fields: Vec::new(), limits_hit: vec![hit] });
        }
    };
    let variables = Variables::from_json(Value::Object(variables));
    let Some(total) = shape.price(operation, &variables) else {
        return Err(Fault::bad_input("say with `operationName` which operation of the document is meant"));
    };
    let fields = shape.explain(operation, &variables).into_iter().take(MOST).map(|field| ExplainedCost {
        path: field.path,
        cost: count(field.cost),
        with_selection: count(field.with_selection),
        times: count(field.times),
        share: share(field.cost, total),
    });
    let fields = fields.collect();
    let limits_hit = (total > settings.cost).then(|| LimitHit {
        limit: "cost".to_owned(),
        most: limit,
        found: count(total),
        message: format!("this would cost {total}, and one request may cost {}", settings.cost),
    });
    Ok(CostExplanation { total: Some(count(total)), limit, fields, limits_hit: limits_hit.into_iter().collect() })
}

fn count(value: u64) -> i32 {
    int(i64::try_from(value).unwrap_or(i64::MAX))
}

/// The limit that an error is about, if it is about one.
fn hit(error: &async_graphql::ServerError) -> Option<LimitHit> {
    let extensions = error.extensions.as_ref()?;
    let number = |name: &str| match extensions.get(name) {
        Some(async_graphql::Value::Number(number)) => number.as_u64().map(count),
        _ => None,
    };
    let Some(async_graphql::Value::String(limit)) = extensions.get("limit") else { return None };
    Some(LimitHit {
        limit: limit.clone(),
        most: number("most")?,
        found: number("found")?,
        message: error.message.clone(),
    })
}
