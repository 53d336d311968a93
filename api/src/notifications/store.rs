//! The table of notifications. Its key starts with whom it is for.

use super::model::NewNotification;
use crate::{
    db::{DbError, Text, Tx, on, statements},
    ids::NotificationId,
    time::Timestamp,
};

statements! {
    INSERT {
        "INSERT INTO notifications (person_id, id, kind, course_id, subject_id, created_at) VALUES ($1, $2, $3, $4, $5, $6)"
    }
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: NotificationId,
    new: &NewNotification,
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INSERT);
    on!(tx.conn(), c => sqlx::query(sql)
        .bind(new.person).bind(id).bind(Text(new.kind)).bind(new.course).bind(new.subject).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}
