//! Tables to files and figures.
