//! What comes before what, and who teaches.

use crate::{
    courses::model::{CourseStatus, StaffRole},
    db::{Db, DbError, Pairs, Text, Tx, Uuids, on, statements},
    ids::{AccountId, CourseId, ModuleId},
    time::Timestamp,
};

statements! {
    /// Of courses whether they are drafts or not.
    REQUIRED_COURSES { "SELECT course_id, required_course_id FROM course_prerequisites WHERE course_id " [any_uuid 1] }
    NAMES_OF_COURSES {
        "SELECT c.id, c.title, c.status, EXISTS (SELECT 1 FROM course_staff s WHERE s.course_id = c.id AND s.account_id = $2) AS is_staff
         FROM courses c WHERE c.id " [any_uuid 1]
    }
    FORGET_REQUIRED_COURSES { "DELETE FROM course_prerequisites WHERE course_id = $1 AND required_course_id " [any_uuid 2] }
    REQUIRE_COURSE { "INSERT INTO course_prerequisites (course_id, required_course_id) VALUES ($1, $2)" }
    REQUIRED_MODULES {
        "SELECT p.module_id, p.required_module_id FROM module_prerequisites p JOIN modules m ON m.id = p.required_module_id
         WHERE p.module_id " [any_uuid 1] " ORDER BY p.module_id, m.position, m.id"
    }
    REQUIRED_MODULES_OF_COURSE {
        "SELECT module_id, required_module_id FROM module_prerequisites WHERE course_id = $1 ORDER BY module_id, required_module_id"
    }
    FORGET_REQUIRED_MODULES { "DELETE FROM module_prerequisites WHERE module_id = $1" }
    REQUIRE_MODULES {
        "INSERT INTO module_prerequisites (course_id, module_id, required_module_id) SELECT $2, k.owner, k.key FROM " [pairs 1] " k"
    }
    STAFF_ROLES { "SELECT account_id, role FROM course_staff WHERE course_id = $1 ORDER BY position, account_id" }
    ADD_STAFF {
        "INSERT INTO course_staff (course_id, account_id, role, position)
         VALUES ($1, $2, $3, (SELECT COALESCE(MAX(s.position), -1) + 1 FROM course_staff s WHERE s.course_id = $1))
         ON CONFLICT (course_id, account_id) DO NOTHING"
    }
    SET_STAFF_ROLE { "UPDATE course_staff SET role = $3 WHERE course_id = $1 AND account_id = $2" }
    REMOVE_STAFF { "DELETE FROM course_staff WHERE course_id = $1 AND account_id = $2" }
    INVITE {
        "INSERT INTO staff_invitations (email_hash, course_id, role, invited_by, invited_at) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (email_hash, course_id) DO UPDATE SET role = excluded.role, invited_by = excluded.invited_by, invited_at = excluded.invited_at"
    }
    FORGET_INVITATIONS { "DELETE FROM staff_invitations WHERE course_id = $1 AND invited_at <= $2" }
    COUNT_INVITATIONS { "SELECT COUNT(*) AS open FROM staff_invitations WHERE course_id = $1" }
    INVITATIONS_OF { "SELECT course_id, role, invited_at FROM staff_invitations WHERE email_hash = $1 AND invited_at > $2 ORDER BY invited_at, course_id" }
    TAKE_INVITATION { "DELETE FROM staff_invitations WHERE email_hash = $1 AND course_id = $2 AND invited_at > $3 RETURNING role, invited_by" }
    VERIFIED_ADDRESS {
        "SELECT e.email_hash FROM account_emails e JOIN accounts a ON a.id = e.account_id
         WHERE e.account_id = $1 AND a.email_verified_at IS NOT NULL"
    }
}

/// Pairs of a course and one that it requires, also of drafts.
pub(crate) async fn required_courses(tx: &mut Tx, courses: &[CourseId]) -> Result<Vec<(CourseId, CourseId)>, DbError> {
    let (sql, courses) = (tx.sql(&REQUIRED_COURSES), Uuids::new(courses.iter().copied()));
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(courses).fetch_all(c).await)?)
}

/// A course, as far as it is needed to name it to somebody.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) id: CourseId,
    pub(crate) title: String,
    /// Whether she may know of it.
    pub(crate) is_known: bool,
}

/// The titles of courses, and whether somebody may know of them.
pub(crate) async fn names(tx: &mut Tx, courses: &[CourseId], to: AccountId) -> Result<Vec<Named>, DbError> {
    let (sql, courses) = (tx.sql(&NAMES_OF_COURSES), Uuids::new(courses.iter().copied()));
    let rows: Vec<(CourseId, String, Text<CourseStatus>, bool)> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(courses).bind(to).fetch_all(c).await)?;
    let named = |(id, title, status, is_staff): (_, _, Text<CourseStatus>, bool)| Named {
        id,
        title,
        is_known: is_staff || status.0 != CourseStatus::Draft,
    };
    Ok(rows.into_iter().map(named).collect())
}

pub(crate) async fn forget_required_courses(
    tx: &mut Tx,
    course: CourseId,
    required: &[CourseId],
) -> Result<(), DbError> {
    let (sql, required) = (tx.sql(&FORGET_REQUIRED_COURSES), Uuids::new(required.iter().copied()));
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(required).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn require_course(tx: &mut Tx, course: CourseId, required: CourseId) -> Result<(), DbError> {
    let sql = tx.sql(&REQUIRE_COURSE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(required).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Pairs of a module and one that it requires.
pub(crate) async fn module_prerequisites(db: &Db, modules: &[ModuleId]) -> Result<Vec<(ModuleId, ModuleId)>, DbError> {
    let (sql, modules) = (db.sql(&REQUIRED_MODULES), Uuids::new(modules.iter().copied()));
    Ok(on!(db.reader(), c => sqlx::query_as(sql).bind(modules).fetch_all(c).await)?)
}

/// Every pair of a module of a course and one that it requires.
pub(crate) async fn required_modules(tx: &mut Tx, course: CourseId) -> Result<Vec<(ModuleId, ModuleId)>, DbError> {
    let sql = tx.sql(&REQUIRED_MODULES_OF_COURSE);
    Ok(on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_all(c).await)?)
}

/// Says which modules come before a module.
pub(crate) async fn put_required_modules(
    tx: &mut Tx,
    course: CourseId,
    module: ModuleId,
    required: &[ModuleId],
) -> Result<(), DbError> {
    let sql = tx.sql(&FORGET_REQUIRED_MODULES);
    on!(tx.conn(), c => sqlx::query(sql).bind(module).execute(c).await.map(|_| ()))?;
    let pairs = Pairs::new(required.iter().map(|required| (module, *required)));
    let sql = tx.sql(&REQUIRE_MODULES);
    on!(tx.conn(), c => sqlx::query(sql).bind(pairs).bind(course).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// The staff of a course.
pub(crate) async fn staff(tx: &mut Tx, course: CourseId) -> Result<Vec<(AccountId, StaffRole)>, DbError> {
    let sql = tx.sql(&STAFF_ROLES);
    let rows: Vec<(AccountId, Text<StaffRole>)> =
        on!(tx.conn(), c => sqlx::query_as(sql).bind(course).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(account, role)| (account, role.0)).collect())
}

/// Whether she is new.
pub(crate) async fn add_staff(
    tx: &mut Tx,
    course: CourseId,
    account: AccountId,
    role: StaffRole,
) -> Result<bool, DbError> {
    let sql = tx.sql(&ADD_STAFF);
    Ok(on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(account).bind(Text(role))
        .execute(c).await.map(|done| done.rows_affected() > 0))?)
}

pub(crate) async fn set_staff_role(
    tx: &mut Tx,
    course: CourseId,
    account: AccountId,
    role: StaffRole,
) -> Result<(), DbError> {
    let sql = tx.sql(&SET_STAFF_ROLE);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(account).bind(Text(role)).execute(c).await.map(|_| ()))?;
    Ok(())
}

pub(crate) async fn remove_staff(tx: &mut Tx, course: CourseId, account: AccountId) -> Result<(), DbError> {
    let sql = tx.sql(&REMOVE_STAFF);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(account).execute(c).await.map(|_| ()))?;
    Ok(())
}

/// Asks whoever has an address to teach a course.
pub(crate) async fn invite(
    tx: &mut Tx,
    email_hash: &[u8; 32],
    course: CourseId,
    (role, by): (StaffRole, AccountId),
    now: Timestamp,
) -> Result<(), DbError> {
    let sql = tx.sql(&INVITE);
    on!(tx.conn(), c => sqlx::query(sql).bind(email_hash.to_vec()).bind(course).bind(Text(role)).bind(by).bind(now)
        .execute(c).await.map(|_| ()))?;
    Ok(())
}

/// How many invitations to teach a course are not over; those that are go.
pub(crate) async fn open_invitations(tx: &mut Tx, course: CourseId, since: Timestamp) -> Result<i64, DbError> {
    let sql = tx.sql(&FORGET_INVITATIONS);
    on!(tx.conn(), c => sqlx::query(sql).bind(course).bind(since).execute(c).await.map(|_| ()))?;
    let sql = tx.sql(&COUNT_INVITATIONS);
    Ok(on!(tx.conn(), c => sqlx::query_scalar(sql).bind(course).fetch_one(c).await)?)
}

/// What somebody was asked to teach: the course, as what, since when.
pub(crate) async fn invitations_of(
    db: &Db,
    email_hash: &[u8],
    since: Timestamp,
) -> Result<Vec<(CourseId, StaffRole, Timestamp)>, DbError> {
    let sql = db.sql(&INVITATIONS_OF);
    let rows: Vec<(CourseId, Text<StaffRole>, Timestamp)> =
        on!(db.reader(), c => sqlx::query_as(sql).bind(email_hash.to_vec()).bind(since).fetch_all(c).await)?;
    Ok(rows.into_iter().map(|(course, role, at)| (course, role.0, at)).collect())
}

/// Uses an invitation up: as what she was invited, and by whom.
pub(crate) async fn take_invitation(
    tx: &mut Tx,
    email_hash: &[u8],
    course: CourseId,
    since: Timestamp,
) -> Result<Option<(StaffRole, AccountId)>, DbError> {
    let sql = tx.sql(&TAKE_INVITATION);
    let row: Option<(Text<StaffRole>, AccountId)> = on!(tx.conn(), c => sqlx::query_as(sql).bind(email_hash.to_vec()).bind(course).bind(since).fetch_optional(c).await)?;
    Ok(row.map(|(role, by)| (role.0, by)))
}

/// The keyed hash of somebody's address, if she has shown that it is hers.
pub(crate) async fn verified_address(db: &Db, account: AccountId) -> Result<Option<Vec<u8>>, DbError> {
    let sql = db.sql(&VERIFIED_ADDRESS);
    Ok(on!(db.reader(), c => sqlx::query_scalar(sql).bind(account).fetch_optional(c).await)?)
}
