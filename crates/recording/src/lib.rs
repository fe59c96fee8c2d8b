//! What was measured, how it is cleaned and how it is stored.
