//! Ways to leave the policy out, for the benches alone: the difference is what it costs. Without the feature `modes`,
//! which no program turns on, there are none.

#[cfg(feature = "modes")]
pub use on::{Mode, set_mode};
#[cfg(feature = "modes")]
pub(crate) use on::{is_allow_all, is_unlogged};

#[cfg(feature = "modes")]
mod on {
    use std::sync::atomic::{AtomicU8, Ordering};

    /// What of the policy is done.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Mode {
        /// All of it.
        Policy,
        /// Looks are not noted, so there is nothing to log.
        Unlogged,
        /// Everybody sees everything, without being asked who she is; nothing is logged.
        AllowAll,
    }

    static MODE: AtomicU8 = AtomicU8::new(Mode::Policy as u8);

    /// Sets what of the policy is done from now on, in this process.
    pub fn set_mode(mode: Mode) {
        MODE.store(mode as u8, Ordering::Relaxed);
    }

    pub(crate) fn is_allow_all() -> bool {
        MODE.load(Ordering::Relaxed) == Mode::AllowAll as u8
    }

    pub(crate) fn is_unlogged() -> bool {
        MODE.load(Ordering::Relaxed) != Mode::Policy as u8
    }
}

#[cfg(not(feature = "modes"))]
pub(crate) const fn is_allow_all() -> bool {
    false
}

#[cfg(not(feature = "modes"))]
pub(crate) const fn is_unlogged() -> bool {
    false
}
