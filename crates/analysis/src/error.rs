//! What can be wrong with what is to be analysed.

/// An error of this crate.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting no analysis can be made with.
    #[error("{field} is {got}; it must be {expected}")]
    Config {
        /// Which setting.
        field: &'static str,
        /// What it must be.
        expected: &'static str,
        /// What it is.
        got: String,
    },
    /// Arrays that do not fit each other.
    #[error("{what}: expected {expected}, got {got}")]
    Shape {
        /// Which array.
        what: String,
        /// What is needed.
        expected: String,
        /// What was given.
        got: String,
    },
    /// An infinite value, or NaN where nothing may be missing.
    #[error("{what} holds {value} at row {row}, column {column}; write NaN for a missing sample and leave infinities out")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// Sample.
        row: usize,
        /// Feature or unit.
        column: usize,
        /// What stands there.
        value: f32,
    },
    /// A feature that is missing or infinite where nothing may be.
    #[error("feature {column} of sample {row} is {value}; leave out samples with a missing feature, or fill it in")]
    Feature {
        /// Sample.
        row: usize,
        /// Feature.
        column: usize,
        /// What stands there.
        value: f32,
    },
    /// Nothing to tell apart.
    #[error("all {samples} samples are of class {class:?}; at least two classes are needed")]
    OneClass {
        /// The class.
        class: String,
        /// Samples.
        samples: usize,
    },
    /// A class that cannot be in every fold.
    #[error("class {class:?} has {samples} samples, fewer than the {folds} folds; leave the class out or use fewer folds")]
    RareClass {
        /// The class.
        class: String,
        /// Samples of it.
        samples: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// A class that cannot be learned when its only group is held out.
    #[error("all samples of class {class:?} are of group {group:?}; held out, nothing is left to learn the class from, so leave the class out")]
    OneGroup {
        /// The class.
        class: String,
        /// The group.
        group: String,
    },
    /// Repeats of one video that differ by more than the rounding of their length.
    #[error(
        "video {video}, trial {trial} has {got} samples and the longest trial has {longest}; repeats of one video may differ by one sample, so check that the trial shows this video"
    )]
    RepeatLength {
        /// Index of the video in the domain.
        video: usize,
        /// Index of the trial of that video.
        trial: usize,
        /// Samples of the longest trial.
        longest: usize,
        /// Samples of this trial.
        got: usize,
    },
    /// A video of which nothing is left to evaluate.
    #[error("video {video} has {trials} trials of {samples} samples, of which the first {burnin} are burn-in, so nothing is left to evaluate")]
    NothingLeft {
        /// Index of the video in the domain.
        video: usize,
        /// Trials of it.
        trials: usize,
        /// Samples of its shortest trial.
        samples: usize,
        /// Samples dropped at the start.
        burnin: usize,
    },
    /// A unit without data to fit.
    #[error("unit {unit} has {got} measured training samples, at least {needed} are needed; leave it out")]
    Unmeasured {
        /// Index of the unit.
        unit: usize,
        /// Samples needed.
        needed: usize,
        /// Samples measured.
        got: usize,
    },
    /// Fewer values than a result needs.
    #[error("{what}: at least {needed} are needed, got {got}")]
    TooFew {
        /// What is counted.
        what: &'static str,
        /// How many are needed.
        needed: usize,
        /// How many there are.
        got: usize,
    },
    /// Values that are all the same, so that nothing can be divided by their spread.
    #[error("{what}: there is no spread, so the result is not defined")]
    NoSpread {
        /// Which values.
        what: &'static str,
    },
    /// One value that cannot be.
    #[error("{what} holds {value} at {index}; it must be {expected}")]
    Value {
        /// Which array.
        what: &'static str,
        /// What its values must be.
        expected: &'static str,
        /// Where, counted from 0.
        index: usize,
        /// What stands there.
        value: f64,
    },
    /// No data to choose the penalty on.
    #[error("no unit has a measured validation sample, so no penalty can be chosen; give validation trials that were measured")]
    NoValidation,
    /// A ridge system that could not be solved.
    #[error("ridge regression with penalty {penalty} could not be solved; raise the smallest penalty")]
    Singular {
        /// The penalty.
        penalty: f64,
    },
    /// A column of another length than the table.
    #[error("column {column} has {got} rows, the table has {expected}")]
    ColumnLength {
        /// Name.
        column: String,
        /// Rows of the table.
        expected: usize,
        /// Rows of the column.
        got: usize,
    },
    /// A name used twice.
    #[error("column {column} is in the table twice; names must differ")]
    ColumnTwice {
        /// Name.
        column: String,
    },
    /// A column that is not there.
    #[error("no column {column}; the table has {has}")]
    ColumnMissing {
        /// Name asked for.
        column: String,
        /// Names there are.
        has: String,
    },
    /// A column of another type.
    #[error("column {column} holds {got}, not {expected}")]
    ColumnType {
        /// Name.
        column: String,
        /// Type asked for.
        expected: &'static str,
        /// Type it has.
        got: &'static str,
    },
}
