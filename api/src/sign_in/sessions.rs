//! Sessions: how a browser proves whose it is, once it has signed in.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{SEEN_EVERY, SignIn, model::SessionCookie, store};
use crate::{
    access::{Client, Credential, TokenScope, Viewer},
    accounts::model::Identified,
    db::DbError,
    ids::AccountId,
};

impl SignIn {
    /// Whose session this is; `None` if it is none, or has ended.
    pub async fn authenticate(&self, cookie: &str, network: Option<&str>) -> Result<Option<Identified>, DbError> {
        let Some((account, id, secret)) = read(cookie) else { return Ok(None) };
        let Some((held, holder)) = store::held_session(&self.db, account, id).await? else { return Ok(None) };
        let now = self.clock.now();
        let same = held.secret_hash == Sha256::digest(secret).as_slice();
        if !same || held.revoked_at.is_some() || held.expires_at <= now || holder.is_suspended {
            return Ok(None);
        }
        if now.0 - held.last_seen_at.0 >= SEEN_EVERY {
            let db = self.db.clone();
            // Behind the answer: reading waits for no write.
            tokio::spawn(async move {
                if let Err(error) = store::seen(&db, account, id, now).await {
                    tracing::warn!(%error, "that a session was used could not be written");
                }
            });
        }
        let viewer = viewer(account, id, held.two_factor, network);
        Ok(Some(Identified { viewer, holder: Some(Arc::new(holder)) }))
    }

    /// Ends a session; whether there was one.
    pub async fn revoke_session(&self, account: AccountId, id: Uuid) -> Result<bool, DbError> {
        store::revoke_session(&self.db, account, id, self.clock.now()).await
    }

    /// Ends every session but this one, and answers with how many.
    pub async fn revoke_sessions(&self, account: AccountId, but: Option<Uuid>) -> Result<u64, DbError> {
        let mut tx = self.db.begin().await?;
        let ended = store::revoke_sessions(&mut tx, account, but, self.clock.now()).await?;
        tx.commit().await?;
        Ok(ended)
    }
}

pub(super) fn viewer(account: AccountId, id: Uuid, two_factor: bool, network: Option<&str>) -> Viewer {
    let credential = Credential {
        client: Client::Session,
        id: Some(id),
        scopes: TokenScope::ALL.to_vec(),
        two_factor,
        network: network.map(str::to_owned),
    };
    Viewer::new(account, credential)
}

pub(super) fn written(account: AccountId, id: Uuid, secret: &[u8; 32]) -> SessionCookie {
    SessionCookie(URL_SAFE_NO_PAD.encode([account.0.as_bytes().as_slice(), id.as_bytes(), secret].concat()))
}

fn read(cookie: &str) -> Option<(AccountId, Uuid, [u8; 32])> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (account, rest) = bytes.split_first_chunk::<16>()?;
    let (id, secret) = rest.split_first_chunk::<16>()?;
    Some((AccountId(Uuid::from_bytes(*account)), Uuid::from_bytes(*id), secret.try_into().ok()?))
}
