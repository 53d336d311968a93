//! From the parameters of a request to its document: by its text, by the id of one that is trusted, or by the hash of one that
//! a client has sent before.
//!
//! Sending by hash is Apollo's protocol of automatic persisted queries: a client sends the SHA-256 of a document alone; if it is
//! not known here she is told so, sends hash and text, and from then on the hash is enough.

use std::sync::Arc;

use async_graphql::{
    Pos, ServerError,
    parser::{
        parse_query,
        types::{DocumentOperations, ExecutableDocument, Selection},
    },
};
use moka::sync::Cache;
use poem::http::StatusCode;
use serde_json::{Map, Value};

use super::{
    asked::{Parameters, Unfit, beyond},
    endpoint::Refused,
    execution::Answer,
};
use crate::{
    app::App,
    db::DbError,
    documents::{
        Documents, Known,
        model::{MAX_ID, TextHash, is_id},
    },
    graphql::{
        index::index,
        limits::{self, LimitSettings, Shape},
        unmerged::is_unmerged,
    },
    observe::{Cache as Kept, Observe},
};

/// The longest text that is kept for clients, in bytes. A longer one is answered, and must be sent each time.
const MAX_KEPT: usize = 64 << 10;

/// A document, parsed once.
pub(super) struct Document {
    /// The text.
    pub(super) text: Arc<str>,
    /// What it says.
    pub(super) parsed: ExecutableDocument,
    /// What it selects, for its price.
    pub(super) shape: Shape,
    /// Whether it is one of those that the installation trusts.
    pub(super) trusted: bool,
    /// Under what it is to be kept once it turns out to be good.
    keep: Keep,
    /// Where it asks for the schema.
    introspects: Option<Pos>,
    /// Whether it asks for each object in one place.
    pub(super) unmerged: bool,
}

/// Under what a document is to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    /// Under nothing: it is kept already, or too long.
    No,
    /// Its text.
    Text,
    /// The hash that a client has sent with it.
    Hash(TextHash),
}

impl Document {
    /// Reads a text that is within the limits.
    pub(super) fn parse(text: Arc<str>, limits: &LimitSettings) -> Result<Self, Unfit> {
        limits::scan(&text, limits).map_err(beyond)?;
        let parsed = parse_query(&*text).map_err(unparsable)?;
        if text.contains('\0') || text.contains("\\u0000") {
            return Err(Refused::bad_request("texts may not contain the character U+0000").into());
        }
        let introspects = introspects(&parsed);
        let shape = Shape::of(&parsed, index(), limits).map_err(beyond)?;
        let unmerged = is_unmerged(&parsed);
        Ok(Self { text, parsed, shape, trusted: false, keep: Keep::No, introspects, unmerged })
    }

    /// What the executor takes, and the document if it is to be kept.
    pub(super) fn to_execute(document: Arc<Self>) -> (ExecutableDocument, Option<Arc<Self>>) {
        let is_kept = document.keep != Keep::No;
        match Arc::try_unwrap(document) {
            Ok(document) if !is_kept => (document.parsed, None),
            Ok(document) => (document.parsed.clone(), Some(Arc::new(document))),
            Err(document) => (document.parsed.clone(), Some(document)),
        }
    }

    /// About how much memory it takes, in bytes: for each word and bracket so much as the parser makes of it (measured:
    /// this is 0.9 to 2 times what it takes; see docs/DOCUMENTS.md), and at least so much that there are not too many.
    fn weight(&self) -> u32 {
        let mut weight = 1_024 + self.text.len();
        let mut inside = false;
        for byte in self.text.bytes() {
            let is_word = byte.is_ascii_alphanumeric() || byte == b'_';
            if (is_word && !inside) || matches!(byte, b'{' | b'[') {
                weight += 240;
            }
            inside = is_word;
        }
        u32::try_from(weight).unwrap_or(u32::MAX)
    }
}

/// Documents that are parsed already, and where the others are found.
#[derive(Clone)]
pub(super) struct Library {
    documents: Documents,
    limits: LimitSettings,
    observe: Observe,
    /// What was sent as a text. Reading a text takes 40 times as long as copying what was read.
    plain: Cache<Arc<str>, Arc<Document>>,
    /// Trusted ones. Nobody but the operator puts one here, so nobody can push one out.
    trusted: Cache<TextHash, Arc<Document>>,
    /// What clients have sent with its hash.
    automatic: Cache<TextHash, Arc<Document>>,
}

impl Library {
    pub(super) fn new(app: &App) -> Self {
        let (documents, limits, observe) = (app.documents.clone(), app.limits.clone(), app.observe.clone());
        let bytes = documents.settings().memory_bytes;
        let cache = |share| {
            Cache::builder()
                .max_capacity(bytes / share)
                .weigher(|_, document: &Arc<Document>| document.weight())
                .build()
        };
        let plain =
            Cache::builder().max_capacity(bytes / 4).weigher(|_, document: &Arc<Document>| document.weight()).build();
        Self { documents, limits, observe, plain, trusted: cache(2), automatic: cache(4) }
    }

    /// How much may be asked for.
    pub(super) fn limits(&self) -> &LimitSettings {
        &self.limits
    }

    /// The document that the parameters ask for.
    pub(super) async fn find(&self, parameters: &Parameters) -> Result<Arc<Document>, Unfit> {
        let document = self.named(parameters).await?;
        match document.introspects {
            Some(place) if !self.documents.settings().introspection => {
                let message =
                    "the schema can't be asked for here; `__typename` can. Ask who runs this server for its schema";
                Err(refused("INTROSPECTION_OFF", message, Some(place)))
            }
            _ => Ok(document),
        }
    }

    async fn named(&self, parameters: &Parameters) -> Result<Arc<Document>, Unfit> {
        let id = parameters.document_id.as_deref();
        let hash = persisted_query(parameters.extensions.as_ref())?;
        // Some clients send an empty text beside an id.
        let text = parameters.query.as_deref().filter(|text| !text.is_empty() || (id.is_none() && hash.is_none()));
        match (text, id, hash) {
            (Some(text), None, None) => self.by_text(text).await,
            (Some(text), None, Some(hash)) => self.by_text_and_hash(text, hash).await,
            (None, Some(id), None) => self.by_id(id).await,
            (None, None, Some(hash)) => self.by_hash(hash).await,
            (None, Some(id), Some(hash)) if id.strip_prefix("sha256:").unwrap_or(id) == hash => self.by_id(id).await,
            (None, Some(_), Some(_)) => Err(Refused::bad_request(
                "`documentId` and `extensions.persistedQuery` name two documents: send one of them",
            )
            .into()),
            (Some(_), Some(_), _) => {
                Err(Refused::bad_request("send the document as `query` or its id as `documentId`, not both").into())
            }
            (None, None, None) => Err(Refused::bad_request(
                "there is no document: send its text as `query`, or the id of one that is known here as `documentId`",
            )
            .into()),
        }
    }

    async fn by_text(&self, text: &str) -> Result<Arc<Document>, Unfit> {
        if self.documents.settings().only_trusted {
            return self.by_trusted_text(TextHash::of(text)).await;
        }
        let kept = self.plain.get(text);
        self.observe.looked_up(Kept::Parsed, kept.is_some());
        if let Some(document) = kept {
            return Ok(document);
        }
        let mut document = Document::parse(text.into(), &self.limits)?;
        if text.len() <= MAX_KEPT {
            document.keep = Keep::Text;
        }
        Ok(Arc::new(document))
    }

    async fn by_text_and_hash(&self, text: &str, hash: &str) -> Result<Arc<Document>, Unfit> {
        let found = TextHash::of(text);
        if TextHash::parse(hash) != Some(found) {
            return Err(Refused::bad_request(
                "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of `query`, as 64 hexadecimal digits in lower case",
            )
            .into());
        }
        let settings = self.documents.settings();
        if settings.only_trusted {
            return self.by_trusted_text(found).await;
        }
        if let Some(document) = self.automatic.get(&found) {
            return Ok(document);
        }
        let mut document = Document::parse(text.into(), &self.limits)?;
        if settings.automatic && text.len() <= MAX_KEPT {
            document.keep = Keep::Hash(found);
        }
        Ok(Arc::new(document))
    }

    async fn by_id(&self, id: &str) -> Result<Arc<Document>, Unfit> {
        if !is_id(id) {
            let message = format!(
                "`documentId` is 1 to {MAX_ID} letters, digits and `:` `_` `.` `~` `-`, as the manifest has it"
            );
            return Err(Refused::bad_request(message).into());
        }
        if let Some(document) =
            self.by_known(self.documents.find(id).await.map_err(|error| unavailable(&error))?).await?
        {
            return Ok(document);
        }
        if self.documents.settings().only_trusted {
            return Err(not_trusted());
        }
        let message =
            "no document is known here under this `documentId`: have it added to the trusted ones, or send `query`";
        Err(refused("DOCUMENT_NOT_FOUND", message, None))
    }

    async fn by_hash(&self, hash: &str) -> Result<Arc<Document>, Unfit> {
        // What builds list goes under this name, too, and it need not be a SHA-256 then.
        if let Some(document) =
            self.by_known(self.documents.find(hash).await.map_err(|error| unavailable(&error))?).await?
        {
            return Ok(document);
        }
        let settings = self.documents.settings();
        // The two messages are the protocol's: clients look at them.
        if settings.only_trusted {
            Err(not_trusted())
        } else if !settings.automatic {
            Err(refused("PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported", None))
        } else {
            let kept = TextHash::parse(hash).and_then(|hash| self.automatic.get(&hash));
            self.observe.looked_up(Kept::Persisted, kept.is_some());
            kept.ok_or_else(|| refused("PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound", None))
        }
    }

    async fn by_trusted_text(&self, hash: TextHash) -> Result<Arc<Document>, Unfit> {
        let known = self.documents.find_text(hash).await.map_err(|error| unavailable(&error))?;
        self.by_known(known).await?.ok_or_else(not_trusted)
    }

    async fn by_known(&self, known: Option<Arc<Known>>) -> Result<Option<Arc<Document>>, Unfit> {
        let Some(known) = known else { return Ok(None) };
        let kept = self.trusted.get(&known.hash);
        self.observe.looked_up(Kept::Trusted, kept.is_some());
        if let Some(document) = kept {
            return Ok(Some(document));
        }
        let Some(text) = self.documents.text(&known).await.map_err(|error| unavailable(&error))? else {
            return Ok(None);
        };
        let document = Arc::new(Document { trusted: true, ..Document::parse(text.into(), &self.limits)? });
        self.trusted.insert(known.hash, Arc::clone(&document));
        Ok(Some(document))
    }

    /// Keeps a document that somebody has sent. It was carried out, so it is valid and within the limits.
    pub(super) fn keep(&self, document: Option<Arc<Document>>) {
        let Some(document) = document else { return };
        match document.keep {
            Keep::Hash(hash) if !self.automatic.contains_key(&hash) => self.automatic.insert(hash, document),
            Keep::Text if !self.plain.contains_key(&document.text) => {
                self.plain.insert(Arc::clone(&document.text), document);
            }
            _ => {}
        }
    }
}

/// The hash in `extensions.persistedQuery`.
fn persisted_query(extensions: Option<&Map<String, Value>>) -> Result<Option<&str>, Refused> {
    let Some(asked) =
        extensions.and_then(|extensions| extensions.get("persistedQuery")).filter(|asked| !asked.is_null())
    else {
        return Ok(None);
    };
    if asked.get("version").and_then(Value::as_u64) != Some(1) {
        return Err(Refused::bad_request("`extensions.persistedQuery.version` must be 1"));
    }
    match asked.get("sha256Hash").and_then(Value::as_str).filter(|hash| is_id(hash)) {
        Some(hash) => Ok(Some(hash)),
        None => Err(Refused::bad_request(
            "`extensions.persistedQuery.sha256Hash` must be the SHA-256 of the document, as 64 hexadecimal digits in lower case",
        )),
    }
}

/// Where a document asks for the schema, if it does.
fn introspects(document: &ExecutableDocument) -> Option<Pos> {
    let operations: Vec<_> = match &document.operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values().collect(),
    };
    let sets = operations.into_iter().map(|operation| &operation.node.selection_set);
    let mut open: Vec<_> =
        sets.chain(document.fragments.values().map(|fragment| &fragment.node.selection_set)).collect();
    while let Some(set) = open.pop() {
        for selection in &set.node.items {
            match &selection.node {
                Selection::Field(field) if matches!(field.node.name.node.as_str(), "__schema" | "__type") => {
                    return Some(field.pos);
                }
                Selection::Field(field) => open.push(&field.node.selection_set),
                Selection::InlineFragment(fragment) => open.push(&fragment.node.selection_set),
                Selection::FragmentSpread(_) => {}
            }
        }
    }
    None
}

/// The answer to a document that is not GraphQL. The parser draws the place; the locations tell it too.
fn unparsable(error: async_graphql::parser::Error) -> Unfit {
    let mut error = ServerError::from(error);
    if let Some((_, expectation)) = error.message.rsplit_once("= ") {
        error.message = format!("the document can't be parsed: {}", expectation.trim());
    }
    error.extensions.get_or_insert_default().set("code", "GRAPHQL_PARSE_FAILED");
    Unfit::Errors(Box::new(Answer::failed(error)))
}

fn not_trusted() -> Unfit {
    let message = "this server answers only documents that it knows: have this one added to the trusted ones (`stoa documents \
                   add`), and send its id as `documentId`";
    refused("DOCUMENT_NOT_TRUSTED", message, None)
}

fn refused(code: &str, message: &str, place: Option<Pos>) -> Unfit {
    let mut error = ServerError::new(message, place);
    error.extensions.get_or_insert_default().set("code", code);
    Unfit::Errors(Box::new(Answer::failed(error)))
}

fn unavailable(error: &DbError) -> Unfit {
    tracing::error!(%error, "the trusted documents could not be read");
    let refused = if error.is_passing() {
        let message = "the database is busy or away: try again in a moment";
        Refused::new(StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE", message)
    } else {
        Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL", "something went wrong here")
    };
    refused.into()
}
