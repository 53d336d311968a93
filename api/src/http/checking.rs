//! Looking at documents before they are trusted.

use async_graphql::parser::types::{DocumentOperations, OperationType};

use super::{
    asked::{Unfit, one_event},
    documents::Document,
    execution::Answer,
};
use crate::{
    documents::model::{Checked, Flaw, Listed},
    graphql::{checking::Validator, limits::LimitSettings},
};

/// Looks whether documents can be carried out.
pub struct Checker(Validator, LimitSettings);

impl Checker {
    /// With these limits.
    pub fn new(limits: &LimitSettings) -> Self {
        Self(Validator::new(limits), limits.clone())
    }

    /// Every document with the names of its operations, or all that is wrong with them.
    pub async fn check(&self, documents: Vec<Listed>) -> Result<Vec<Checked>, Vec<Flaw>> {
        let mut checked = Vec::with_capacity(documents.len());
        let mut flaws = Vec::new();
        for document in documents {
            match self.operations(&document.text).await {
                Ok(operations) => {
                    checked.push(Checked { id: document.id, text: document.text, operations });
                }
                Err(errors) => flaws.extend(errors.into_iter().map(|(place, reason)| Flaw {
                    id: document.id.clone(),
                    place,
                    reason,
                })),
            }
        }
        if flaws.is_empty() { Ok(checked) } else { Err(flaws) }
    }

    async fn operations(&self, text: &str) -> Result<Vec<String>, Vec<(Option<(usize, usize)>, String)>> {
        let document = Document::parse(text.into(), &self.1).map_err(told)?;
        let mut names = Vec::new();
        let operations: Vec<_> = match &document.parsed.operations {
            DocumentOperations::Single(operation) => vec![(None, operation)],
            DocumentOperations::Multiple(operations) => {
                operations.iter().map(|(name, operation)| (Some(name.to_string()), operation)).collect()
            }
        };
        for (name, operation) in operations {
            if operation.node.ty == OperationType::Subscription {
                one_event(&operation.node).map_err(told)?;
            }
            names.extend(name);
        }
        // Their order in the document is not kept by the parser.
        names.sort();
        let errors = self.0.validate(document.parsed).await;
        if errors.is_empty() { Ok(names) } else { Err(errors_of(&errors)) }
    }
}

fn told(unfit: Unfit) -> Vec<(Option<(usize, usize)>, String)> {
    match unfit {
        Unfit::Refused(refused) => vec![(None, refused.message)],
        Unfit::Errors(answer) => errors_of(Answer::errors(&answer)),
    }
}

fn errors_of(errors: &[async_graphql::ServerError]) -> Vec<(Option<(usize, usize)>, String)> {
    let place = |error: &async_graphql::ServerError| error.locations.first().map(|place| (place.line, place.column));
    errors.iter().map(|error| (place(error), error.message.clone())).collect()
}
