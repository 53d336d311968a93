//! Private messages.
