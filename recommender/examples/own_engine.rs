//! An engine of one's own, written outside of the crate: it recommends the shortest courses on the topics of
//! the learner's goals or, without any, of her latest course.
//! `cargo run -p stoa-recommender --example own_engine`.

use stoa_recommender::engine::{Ask, Evidence, Registration, Scores, TrainingData};
use stoa_recommender::{
    Catalogue, Content, Course, Engine, EngineSettings, FitError, Interaction, InteractionsBuilder, Model, Query,
    ReasonKind, Registry, Scorer, Settings,
};

const SHORTEST: Registration = Registration {
    name: "shortest",
    parameters: &[],
    build: |_| Box::new(Shortest),
    load: |bytes| {
        let minutes = bytes.try_into().map_err(|_| "four bytes expected".to_owned())?;
        Ok(Box::new(Fitted { usual: f32::from_le_bytes(minutes) }))
    },
};

struct Shortest;

impl Engine for Shortest {
    fn has_ground(&self, data: &TrainingData<'_>) -> bool {
        data.content.topic_count() > 0
    }

    fn fit(&self, data: &TrainingData<'_>) -> Result<Box<dyn Scorer>, FitError> {
        let rows = data.histories.iter().copied().flatten();
        let lengths: Vec<f32> = rows.filter_map(|row| length(data.content, row.course)).collect();
        let usual = lengths.iter().sum::<f32>() / lengths.len().max(1) as f32;
        Ok(Box::new(Fitted { usual: usual.max(1.0) }))
    }
}

/// Seconds.
fn length(content: &Content, course: u32) -> Option<f32> {
    Some(content.facts(course)?.seconds? as f32)
}

/// The fitted state: the mean length of a course that was taken, in seconds.
struct Fitted {
    usual: f32,
}

impl Scorer for Fitted {
    fn score(&self, ask: &Ask<'_>, out: &mut Scores) {
        let latest = ask.history.last().map_or(&[][..], |row| ask.content.topics(row.course));
        let topics = if ask.goals.is_empty() { latest } else { ask.goals };
        for &course in topics.iter().flat_map(|&topic| ask.content.of_topic(topic)) {
            if let Some(seconds) = length(ask.content, course) {
                out.add(course, self.usual / (self.usual + seconds));
            }
        }
    }

    fn explain(&self, ask: &Ask<'_>, course: u32) -> Evidence {
        Evidence { topics: ask.content.topics(course).to_vec(), ..Evidence::default() }
    }

    fn kind(&self) -> ReasonKind {
        ReasonKind::Length
    }

    fn to_bytes(&self) -> Vec<u8> {
        self.usual.to_le_bytes().to_vec()
    }
}

/// Trains with the engine beside the crate's own, saves, loads, and asks for someone who wants to bake.
fn shortest_first() -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let course = |title: &str, topic: u32, minutes: u32| Course {
        key: title.to_lowercase(),
        title: title.into(),
        topics: vec![topic],
        seconds: Some(minutes * 60),
        ..Course::default()
    };
    let courses = vec![course("Bread", 0, 90), course("Rolls", 0, 20), course("Cakes", 0, 45), course("Soups", 1, 15)];
    let catalogue = Catalogue::new(vec!["Baking".into(), "Cooking".into()], courses)?;
    let mut rows = InteractionsBuilder::new(&catalogue);
    for learner in 0..20 {
        rows.push(learner, Interaction::new(3, 1_700_000_000))?;
    }

    let mut registry = Registry::standard();
    registry.register(SHORTEST); // The one line.
    let settings = Settings { engines: vec![EngineSettings::new("shortest")], ..Settings::default() };
    let model = Model::fit_with(&registry, &catalogue, &rows.build(), &settings, &mut |_| ())?;
    // Whoever reads the model back must know the engine too.
    let model = Model::from_bytes_with(&registry, &model.to_bytes())?;

    let history = [Interaction::new(0, 1_700_000_000)];
    let query = Query { history: &history, now: 1_700_086_400, limit: 2, ..Query::default() };
    let list = model.bind(&catalogue)?.recommend(&query);
    Ok(list.iter().map(|next| catalogue.title(next.course).to_owned()).collect())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    for title in shortest_first()? {
        println!("{title}");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_engine_from_outside_trains_saves_loads_and_ranks() {
        assert_eq!(super::shortest_first().expect("a list"), ["Rolls", "Cakes"]);
    }
}
