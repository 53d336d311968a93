//! Generated learners for the recommender's benches.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use stoa_recommender::{Catalogue, Course, Interaction, Interactions, InteractionsBuilder};

/// Courses in series of ten, forty to a topic; learners walk along series of their topics, with jumps.
pub(crate) fn campus(learners: u64, courses: u32) -> (Catalogue, Interactions) {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let course = |at: u32| Course {
        key: format!("{at:06}"),
        topics: vec![at / 40],
        level: u8::try_from(1 + at % 10 / 4).ok(),
        seconds: Some(600 + at % 7 * 300),
        ..Course::default()
    };
    let topics: Vec<String> = (0..courses.div_ceil(40)).map(|topic| format!("Topic {topic}")).collect();
    let catalogue = Catalogue::new(topics, (0..courses).map(course).collect()).expect("a good catalogue");
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0..learners {
        let mut at = rng.gen_range(1_600_000_000..1_700_000_000);
        let mut course = rng.gen_range(0..courses).min(rng.gen_range(0..courses));
        for _ in 0..rng.gen_range(2..20) {
            let row = Interaction { completion: Some(rng.gen_range(0.0..1.0)), ..Interaction::new(course, at) };
            rows.push(learner, row).expect("a good row");
            course = match rng.gen_range(0..10) {
                0..6 => course + 1,
                6..9 => course / 40 * 40 + rng.gen_range(0..40),
                _ => rng.gen_range(0..courses),
            } % courses;
            at += if rng.gen_bool(0.7) { 600 } else { rng.gen_range(0..3_000_000) };
        }
    }
    (catalogue, rows.build())
}
