//! The same beats in any order, any number of times, from anybody's many clients: the sums agree.

use std::{collections::BTreeSet, sync::Arc};

use rand::{Rng as _, SeedableRng as _, seq::SliceRandom as _};
use rand_chacha::ChaCha8Rng;
use stoa_api::{
    ids::{AccountId, LessonId},
    progress::{activity::BeatRefusal, model::Activity},
    time::Timestamp,
};
use stoa_testkit::{SCHOOL, School, story};

const CLIENTS: u64 = 50;
const BEATS: u64 = 40;

/// The instant at which the school's story begins.
fn nine() -> i64 {
    Timestamp::parse("2026-03-02T09:00:00Z").unwrap().seconds()
}

/// What a learner did in an evening on two devices, with what can't have been among it.
fn evening(rng: &mut ChaCha8Rng) -> Vec<Activity> {
    let lessons = ["compost-1", "compost-2", "compost-3", "compost-4"];
    (0..BEATS)
        .map(|beat| {
            let lesson = LessonId::imported(SCHOOL, lessons[rng.gen_range(0..4)]);
            let claimed = if rng.gen_bool(0.2) { rng.gen_range(0..4_000) } else { rng.gen_range(0..60) };
            Activity {
                position: rng.gen_bool(0.7).then(|| rng.gen_range(0..300)),
                at: Some(Timestamp::from_seconds(nine() + rng.gen_range(0..7_200))),
                session: rng.gen_bool(0.5).then(|| "phone".to_owned()),
                key: Some(format!("beat {beat}")),
                ..Activity::now(lesson, claimed)
            }
        })
        .collect()
}

/// The time of a set of beats, second by second: slow, and plainly what docs/PROGRESS.md says.
fn reference(beats: &[Activity], lesson: Option<LessonId>) -> i64 {
    let mut seconds = BTreeSet::new();
    for beat in beats {
        let at = beat.at.unwrap().seconds();
        let before =
            beats.iter().filter(|other| other.session == beat.session).map(|other| other.at.unwrap().seconds());
        let last = before.filter(|other| *other < at).max().unwrap_or(i64::MIN);
        if lesson.is_none_or(|lesson| lesson == beat.lesson_id) {
            seconds.extend((at - beat.seconds).max(last)..at);
        }
    }
    seconds.len() as i64
}

async fn send(school: &School, learner: AccountId, mut beats: Vec<Activity>, seed: u64) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Each is sent one to three times.
    let again: Vec<_> = beats.iter().filter(|_| rng.gen_bool(0.5)).cloned().collect();
    beats.extend(again.clone());
    beats.extend(again.into_iter().filter(|_| rng.gen_bool(0.5)));
    beats.shuffle(&mut rng);
    while !beats.is_empty() {
        let batch: Vec<_> = beats.drain(..rng.gen_range(1..=beats.len().min(7))).collect();
        for answer in school.app.learning.record_all(learner, &batch).await.unwrap() {
            assert!(answer.is_ok(), "{answer:?}");
        }
    }
}

story! {
    async fn fifty_clients_send_the_same_beats_in_different_orders_with_retries_and_the_sums_agree(school) {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let beats = evening(&mut rng);
        let school = Arc::new(school);
        school.clock.advance(86_400);
        // Half of the clients are one learner's, who has left her devices all over the house; the other half another's.
        let learners = ["mei", "omar"].map(|key| school.id_of(key));
        let before = sums(&school).await;
        let sending: Vec<_> = (0..CLIENTS)
            .map(|client| {
                let (school, beats) = (Arc::clone(&school), beats.clone());
                tokio::spawn(async move { send(&school, learners[client as usize % 2], beats, client).await })
            })
            .collect();
        for sent in sending {
            sent.await.unwrap();
        }
        let after = sums(&school).await;
        for (learner, (before, after)) in before.iter().zip(&after).enumerate() {
            assert_eq!(after.0 - before.0, reference(&beats, None), "the course, learner {learner}");
            for (at, key) in ["compost-1", "compost-2", "compost-3", "compost-4"].iter().enumerate() {
                let spent = reference(&beats, Some(LessonId::imported(SCHOOL, key)));
                assert_eq!(after.1[at] - before.1[at], spent, "{key}, learner {learner}");
            }
        }
        assert_eq!(after[0].2, after[1].2, "positions");
        // A third learner gets them one by one, in the order in which they happened, and once.
        let zoe = school.id_of("zoe");
        let course = stoa_api::ids::CourseId::imported(SCHOOL, "compost");
        school.execute("INSERT INTO enrolments (learner_id, course_id, enrolled_at, last_active_at, seconds, progress_sum)
            VALUES ({person:zoe}, {course:compost}, 1770000000000000, 1770000000000000, 0, 0)").await;
        let mut in_order = beats.clone();
        in_order.sort_by_key(|beat| beat.at);
        for beat in &in_order {
            school.app.learning.record(zoe, beat).await.unwrap().unwrap();
        }
        let _ = course;
        let third = sum(&school, "zoe").await;
        assert_eq!(third.0, reference(&beats, None));
        assert_eq!(third.3, sum(&school, "omar").await.3, "seconds that were capped");
        assert_eq!(third.2, after[1].2, "positions");
    }

    async fn beats_of_one_learner_in_one_batch_see_each_other(school) {
        let mei = school.id_of("mei");
        school.clock.advance(3_600);
        let lesson = LessonId::imported(SCHOOL, "compost-2");
        let beat = |minute: i64, key: &str| Activity {
            at: Some(Timestamp::from_seconds(nine() + minute * 60)),
            key: Some(key.to_owned()),
            ..Activity::now(lesson, 90)
        };
        let sent = [beat(3, "c"), beat(1, "a"), beat(2, "b"), beat(1, "a"), beat(4, "a")];
        let answers = school.app.learning.record_all(mei, &sent).await.unwrap();
        let counted: Vec<_> = answers.iter().map(|answer| answer.map(|recorded| (recorded.counted, recorded.replayed))).collect();
        assert_eq!(counted, [Ok((60, false)), Ok((90, false)), Ok((60, false)), Ok((90, true)), Err(BeatRefusal::KeyReused)]);
        assert_eq!(sum(&school, "mei").await.0, 180 + 210);
    }
}

type Sums = (i64, Vec<i64>, Vec<i64>, i64);

async fn sums(school: &School) -> Vec<Sums> {
    vec![sum(school, "mei").await, sum(school, "omar").await]
}

/// Seconds in compost, seconds in each of its lessons, positions there, and seconds that were capped.
async fn sum(school: &School, learner: &str) -> Sums {
    let query = "{ course(slug: \"compost-step-by-step\") { myEnrolment { seconds cappedSeconds modules { lessons { seconds position } } } } }";
    let data = school.person(learner).await.data(query).await;
    let mine = &data["course"]["myEnrolment"];
    let lessons: Vec<_> =
        mine["modules"].as_array().unwrap().iter().flat_map(|module| module["lessons"].as_array().unwrap()).collect();
    let of = |name: &str| lessons.iter().map(|lesson| lesson[name].as_i64().unwrap()).collect();
    (mine["seconds"].as_i64().unwrap(), of("seconds"), of("position"), mine["cappedSeconds"].as_i64().unwrap())
}
