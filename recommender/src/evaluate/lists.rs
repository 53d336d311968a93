//! What the lists are like, whoever they are for: how novel, how mixed, how much of the same.

use crate::content::Content;

/// What the training data says of each course.
pub(super) struct Crowd<'a> {
    content: &'a Content,
    taken: &'a [u32],
    learners: f64,
    /// The tenth of the courses that most learners took, at least one.
    head: Vec<bool>,
}

impl<'a> Crowd<'a> {
    /// `taken` by course: how many of `learners` took it. Courses past its end nobody took.
    pub(super) fn new(taken: &'a [u32], learners: u64, content: &'a Content) -> Self {
        let mut order: Vec<usize> = (0..taken.len()).collect();
        order.sort_by(|&a, &b| taken[b].cmp(&taken[a]).then(a.cmp(&b)));
        let mut head = vec![false; content.len()];
        for &course in order.iter().take(content.len().div_ceil(10)).filter(|&&c| taken[c] > 0) {
            head[course] = true;
        }
        Self { content, taken, learners: learners.max(1) as f64, head }
    }

    pub(super) fn taken(&self, course: u32) -> u32 {
        self.taken.get(course as usize).copied().unwrap_or(0)
    }

    fn share(&self, course: u32) -> f64 {
        f64::from(self.taken(course)) / self.learners
    }

    /// The share of what was taken that the head has.
    pub(super) fn head_share(&self) -> f64 {
        let head = self.taken.iter().zip(&self.head).filter(|(_, head)| **head);
        let head: u64 = head.map(|(&n, _)| u64::from(n)).sum();
        let all: u64 = self.taken.iter().map(|&n| u64::from(n)).sum();
        head as f64 / all.max(1) as f64
    }

    /// 1 − mean Jaccard overlap of the topics of each two courses. `None` for fewer than two courses,
    /// or where there are no topics at all.
    fn spread(&self, list: &[u32]) -> Option<f64> {
        if list.len() < 2 || self.content.topic_count() == 0 {
            return None;
        }
        let mut alike = 0.0;
        for (at, &one) in list.iter().enumerate() {
            let own = self.content.topics(one);
            for &other in &list[at + 1..] {
                let others = self.content.topics(other);
                let common = own.iter().filter(|topic| others.contains(topic)).count();
                let all = own.len() + others.len() - common;
                alike += common as f64 / all.max(1) as f64;
            }
        }
        Some(1.0 - alike / (list.len() * (list.len() - 1) / 2) as f64)
    }
}

/// Sums over one method's lists of ten.
#[derive(Debug, Clone)]
pub(super) struct Lists {
    /// How many lists each course is in.
    shown: Vec<u32>,
    places: f64,
    surprise: f64,
    share: f64,
    spread: (f64, f64),
}

impl Lists {
    pub(super) fn new(courses: usize) -> Self {
        Self { shown: vec![0; courses], places: 0.0, surprise: 0.0, share: 0.0, spread: (0.0, 0.0) }
    }

    pub(super) fn add(&mut self, list: &[u32], crowd: &Crowd<'_>) {
        for &course in list {
            if let Some(shown) = self.shown.get_mut(course as usize) {
                *shown += 1;
            }
            self.places += 1.0;
            self.share += crowd.share(course);
            // A course that nobody took would be infinitely surprising; it counts as taken by one.
            self.surprise -= crowd.share(course).max(1.0 / crowd.learners).log2();
        }
        if let Some(spread) = crowd.spread(list) {
            self.spread.0 += spread;
            self.spread.1 += 1.0;
        }
    }

    pub(super) fn coverage(&self) -> f64 {
        self.shown.iter().filter(|&&n| n > 0).count() as f64 / self.shown.len().max(1) as f64
    }

    pub(super) fn novelty(&self) -> f64 {
        self.surprise / self.places.max(1.0)
    }

    pub(super) fn popularity(&self) -> f64 {
        self.share / self.places.max(1.0)
    }

    pub(super) fn diversity(&self) -> Option<f64> {
        (self.spread.1 > 0.0).then(|| self.spread.0 / self.spread.1)
    }

    pub(super) fn head(&self, crowd: &Crowd<'_>) -> f64 {
        let head = self.shown.iter().zip(&crowd.head).filter(|(_, head)| **head);
        head.map(|(&n, _)| f64::from(n)).sum::<f64>() / self.places.max(1.0)
    }

    /// `Σ (2 i − n − 1) x_i / (n Σ x)` over the courses in rising order.
    pub(super) fn gini(&self) -> f64 {
        let mut shown = self.shown.clone();
        shown.sort_unstable();
        let n = shown.len() as f64;
        let all: f64 = shown.iter().map(|&x| f64::from(x)).sum();
        let sum: f64 = shown.iter().enumerate().map(|(at, &x)| (2.0 * at as f64 + 1.0 - n) * f64::from(x)).sum();
        if all > 0.0 { sum / (n * all) } else { 0.0 }
    }
}
