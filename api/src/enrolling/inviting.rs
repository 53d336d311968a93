//! Invitations: to a person, or for whoever has a code.

use super::{
    Enrolling, MAX_DAYS, MAX_NAME, MAX_USES, Refusal,
    model::{Invitation, InvitationCode, NewInvitation},
    store,
};
use crate::{
    accounts::secret::random_bytes,
    db::DbError,
    idempotency::{Claim, Key, KeyRefusal},
    ids::{AccountId, CourseId, InvitationId},
    notifications::{
        self,
        model::{NewNotification, NotificationKind},
    },
    time::Timestamp,
};

/// For what codes are hashed.
const CODE: &str = "invitation";
/// Letters and digits that are not taken for each other; a code is typed by people.
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/// How many of them a code has: 100 random bits, so that nobody guesses one.
const LENGTH: usize = 20;
const DAY: i64 = 86_400_000_000;

impl Enrolling {
    /// Invites to a course. Who is invited by name is notified. Answers with the code if there is one; under a key that was used
    /// before it comes without.
    pub async fn invite(
        &self,
        instructor: AccountId,
        course: CourseId,
        new: NewInvitation,
        key: Option<&str>,
    ) -> Result<Result<(InvitationId, Option<InvitationCode>), Refusal>, DbError> {
        if let Err(refusal) = checked(&new) {
            return Ok(Err(refusal));
        }
        let key = match key.map(|key| keyed(instructor, course, &new, key)).transpose() {
            Ok(key) => key,
            Err(refusal) => return Ok(Err(refusal.into())),
        };
        let now = self.clock.now();
        let mut tx = self.db.begin().await?;
        if let Some(key) = &key {
            match key.claim(&mut tx, now).await? {
                Claim::First => {}
                Claim::Again(id) => {
                    let id = id.parse::<uuid::Uuid>().unwrap_or_default();
                    return Ok(Ok((InvitationId(id), None)));
                }
                Claim::Other => return Ok(Err(KeyRefusal::Reused.into())),
            }
        }
        // Whoever takes the course meanwhile waits, or is seen.
        if store::hold(&mut tx, course).await?.is_none() {
            return Ok(Err(Refusal::NoSuchCourse));
        }
        if let Some(person) = new.person {
            if store::left_at(&mut tx, person, course).await? == Some(None) {
                return Ok(Err(Refusal::TakesIt));
            }
            if store::invitations::of_person(&mut tx, (course, person), now).await?.is_some() {
                return Ok(Err(Refusal::IsInvited));
            }
        }
        match new.cohort {
            None => {}
            Some(cohort) => match store::cohorts::is_open(&mut tx, (course, cohort)).await? {
                None => return Ok(Err(Refusal::NoSuchCohort)),
                Some(false) => return Ok(Err(Refusal::CohortClosed)),
                Some(true) => {}
            },
        }
        let code = new.person.is_none().then(new_code);
        let hash = code.as_ref().map(|code| self.code_hash(course, code.secret_text()));
        let invitation = Invitation {
            id: self.clock.id(),
            course_id: course,
            person_id: new.person,
            label: new.label.trim().replace('\0', ""),
            cohort_id: new.cohort,
            max_uses: new.uses,
            used: 0,
            created_at: now,
            expires_at: Timestamp(now.0 + new.days * DAY),
            revoked_at: None,
        };
        store::invitations::insert(&mut tx, &invitation, hash, instructor).await?;
        if let Some(person) = new.person {
            let (kind, course) = (NotificationKind::Invited, Some(course));
            let notification = NewNotification { person, kind, course, subject: None };
            notifications::notify(&mut tx, &self.clock, &[notification]).await?;
        }
        if let Some(key) = &key {
            key.keep(&mut tx, &invitation.id.0.to_string()).await?;
        }
        tx.commit().await?;
        Ok(Ok((invitation.id, code)))
    }

    /// Takes an invitation back. Who has come by it stays.
    pub async fn revoke_invitation(
        &self,
        (course, id): (CourseId, InvitationId),
    ) -> Result<Result<(), Refusal>, DbError> {
        let mut tx = self.db.begin().await?;
        if !store::invitations::revoke(&mut tx, (course, id), self.clock.now()).await? {
            return Ok(Err(Refusal::NoSuchInvitation));
        }
        tx.commit().await?;
        Ok(Ok(()))
    }

    /// What is kept of a code, however it is typed.
    pub(super) fn code_hash(&self, course: CourseId, code: &str) -> [u8; 32] {
        let typed = code.chars().filter(char::is_ascii_alphanumeric).take(2 * LENGTH);
        let letters = typed.map(|letter| match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            letter => letter,
        });
        let data: Vec<u8> = course.0.as_bytes().iter().copied().chain(letters.map(|letter| letter as u8)).collect();
        self.accounts.keyed_hash(CODE, &data)
    }
}

fn checked(new: &NewInvitation) -> Result<(), Refusal> {
    let most = if new.person.is_some() { 1 } else { MAX_USES };
    let label = new.label.chars().count();
    if !(1..=most).contains(&new.uses) {
        Err(Refusal::Uses(new.uses))
    } else if !(1..=MAX_DAYS).contains(&new.days) {
        Err(Refusal::Days(new.days))
    } else if label > MAX_NAME {
        Err(Refusal::Label(label))
    } else {
        Ok(())
    }
}

fn keyed(instructor: AccountId, course: CourseId, new: &NewInvitation, key: &str) -> Result<Key, KeyRefusal> {
    let person = new.person.map(|person| person.0.into_bytes()).unwrap_or_default();
    let cohort = new.cohort.map(|cohort| cohort.0.into_bytes()).unwrap_or_default();
    let (uses, days) = (new.uses.to_be_bytes(), new.days.to_be_bytes());
    Key::new(instructor, key, "invite", &[course.0.as_bytes(), &person, &cohort, new.label.as_bytes(), &uses, &days])
}

/// A new code, in groups of five.
fn new_code() -> InvitationCode {
    let mut code = String::with_capacity(LENGTH + LENGTH / 5);
    for (at, byte) in random_bytes::<LENGTH>().into_iter().enumerate() {
        if at > 0 && at % 5 == 0 {
            code.push('-');
        }
        code.push(char::from(LETTERS[usize::from(byte % 32)]));
    }
    InvitationCode(code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_can_be_typed_and_does_not_show_itself() {
        let (one, other) = (new_code(), new_code());
        assert_ne!(one, other);
        assert_eq!(one.secret_text().len(), 23);
        assert!(one.secret_text().chars().all(|letter| letter == '-' || LETTERS.contains(&(letter as u8))));
        assert_eq!(format!("{one:?}"), "<invitation code>");
    }
}
