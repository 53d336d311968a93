//! What somebody wants to hear, and how.

use super::{
    MAX_MUTES, Notifications, Refusal,
    model::{Channels, NotificationKind, Preferences, PreferencesChange},
    store,
};
use crate::{
    db::DbError,
    ids::{AccountId, CourseId, ThreadId},
};

/// What counts for whoever said nothing: mails, and following where she writes.
pub(super) const SETTINGS: (bool, bool) = (true, true);

impl Notifications {
    /// What somebody wants to hear, and how.
    pub(crate) async fn preferences(&self, person: AccountId) -> Result<Preferences, DbError> {
        let (settings, said, mutes) = futures_util::try_join!(
            store::preferences::settings(&self.db, person),
            store::preferences::of_person(&self.db, person),
            store::preferences::mutes(&self.db, person),
        )?;
        let (by_mail, follow_when_posting) = settings.unwrap_or(SETTINGS);
        let kinds = NotificationKind::ALL.iter().map(|kind| (*kind, channels(*kind, &said))).collect();
        Ok(Preferences { by_mail, follow_when_posting, kinds, mutes })
    }

    /// Changes what somebody wants to hear, all of it or nothing. What was told before stays; what was to be mailed and is no
    /// longer wanted is not mailed.
    pub(crate) async fn change_preferences(
        &self,
        person: AccountId,
        change: &PreferencesChange,
    ) -> Result<(), DbError> {
        let said = store::preferences::of_person(&self.db, person).await?;
        let mut tx = self.db.begin().await?;
        if change.by_mail.is_some() || change.follow_when_posting.is_some() {
            let before = store::preferences::settings_in(&mut tx, person).await?.unwrap_or(SETTINGS);
            let after = (change.by_mail.unwrap_or(before.0), change.follow_when_posting.unwrap_or(before.1));
            store::preferences::put_settings(&mut tx, person, after).await?;
        }
        for (kind, in_graph, mail) in &change.kinds {
            let before = channels(*kind, &said);
            let after = Channels { in_graph: in_graph.unwrap_or(before.in_graph), mail: mail.unwrap_or(before.mail) };
            store::preferences::put(&mut tx, person, *kind, after).await?;
        }
        tx.commit().await
    }

    /// Mutes a thread, or with `None` the whole course; or ends that.
    pub(crate) async fn mute(
        &self,
        person: AccountId,
        what: (CourseId, Option<ThreadId>),
        muted: bool,
    ) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        if muted && store::preferences::count_mutes(&mut tx, person).await? >= MAX_MUTES {
            return Ok(Err(Refusal::TooManyMutes));
        }
        store::preferences::mute(&mut tx, person, what, muted.then(|| self.clock.now())).await?;
        tx.commit().await?;
        Ok(Ok(()))
    }
}

fn channels(kind: NotificationKind, said: &[(NotificationKind, Channels)]) -> Channels {
    said.iter().find(|(of, _)| *of == kind).map_or_else(|| kind.channels(), |(_, channels)| *channels)
}
