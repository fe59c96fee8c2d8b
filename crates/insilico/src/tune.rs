//! Tune: responses to the events of a stimulus, measured or predicted, and what they say of each unit. The same code in vivo and in silico.

use crate::error::Error;
use crate::respond::{RespondOptions, fit_video, respond};
use ndarray::{Array2, Array3, ArrayView4, Axis, concatenate, s, stack};
use striate_analysis::Table;
use striate_analysis::tuning::{
    Curves, Delay, DirectionTuning, Event as Window, SpatialTuning, contrast_table, contrast_tuning, direction_table, direction_tuning,
    event_responses, frame_responses, frequency_table, frequency_tuning, size_table, size_tuning, spatial_table, spatial_tuning, sta,
};
use striate_model::Network;
use striate_recording::Recording;
use striate_recording::resize::{resize, to_grey};
use striate_stimulus::event::Shown;
use striate_stimulus::video::GREY;
use striate_stimulus::{Event, Film};

/// Responses to events.
#[derive(Clone, Debug)]
pub struct EventResponses {
    /// What was shown, in order.
    pub events: Vec<Event>,
    /// Mean responses [E, U]; NaN where none was measured.
    pub responses: Array2<f64>,
    /// Pictures of dark dots, how far each pixel is from grey [h, w].
    pub masks: Vec<Array2<f64>>,
    /// Place of each event's picture among the masks; none but for dark dots.
    pub mask: Vec<Option<usize>>,
}

/// Height and width that dots are looked at in (the paper's is not published; our choice).
pub(crate) const MAP: [usize; 2] = [36, 64];
/// First frames of a video whose responses count for nothing: the network settles (as in evaluation).
const BURNIN: usize = 10;

impl EventResponses {
    /// None yet.
    pub fn new(units: usize) -> Self {
        Self { events: Vec::new(), responses: Array2::zeros((0, units)), masks: Vec::new(), mask: Vec::new() }
    }

    /// Adds the responses to a video's events; dots are looked at in its frames [T, H, W, C].
    fn add(&mut self, events: &[Event], responses: Array2<f64>, frames: ArrayView4<u8>) -> Result<(), Error> {
        let joined = concatenate(Axis(0), &[self.responses.view(), responses.view()]);
        self.responses = joined.map_err(|e| Error::Length { what: "responses to events", expected: "as many units".into(), got: e.to_string() })?;
        for event in events {
            let mask = dark(event).map(|condition| self.look(condition, event.onset_frame, frames));
            self.mask.push(mask);
            self.events.push(event.clone());
        }
        Ok(())
    }

    /// Place of a dark dot's picture among the masks; a new one if its condition was not seen before.
    fn look(&mut self, condition: usize, onset: usize, frames: ArrayView4<u8>) -> usize {
        if let Some(before) = self.events.iter().position(|e| dark(e) == Some(condition)).and_then(|at| self.mask[at]) {
            return before;
        }
        let at = onset.min(frames.len_of(Axis(0)) - 1);
        let seen = to_grey(frames.slice(s![at..=at, .., .., ..]));
        let [height, width] = if seen.dim().1 > MAP[0] { MAP } else { [seen.dim().1, seen.dim().2] };
        let small = resize(seen.view(), height, width);
        self.masks.push(Array2::from_shape_fn((height, width), |(y, x)| f64::from(small[[0, y, x, 0]].abs_diff(GREY))));
        self.masks.len() - 1
    }

    /// Masks of dark dots [D, h, w], which one each of their events showed, and the responses [E, U] to these; nothing without such dots.
    fn dark_dots(&self) -> Option<(Array3<f64>, Vec<usize>, Array2<f64>)> {
        let events: Vec<usize> = (0..self.events.len()).filter(|e| self.mask.get(*e).is_some_and(Option::is_some)).collect();
        let masks = stack(Axis(0), &self.masks.iter().map(|m| m.view()).collect::<Vec<_>>()).ok()?;
        let shown = events.iter().filter_map(|e| self.mask[*e]).collect();
        (!events.is_empty()).then(|| (masks, shown, self.responses.select(Axis(0), &events)))
    }
}

/// Condition of a dark dot.
fn dark(event: &Event) -> Option<usize> {
    if let Shown::Dot { condition, polarity: -1, .. } = event.shown { Some(condition) } else { None }
}

/// Responses that were measured to the events of a recording's videos, all trials of a domain. `delay` in seconds: by how much windows open later.
///
/// # Errors
/// No video of the domain has events, or the recording cannot be read.
pub fn in_vivo(recording: &Recording, domain: &str, delay: f64) -> Result<EventResponses, Error> {
    let mut found = EventResponses::new(recording.unit_count());
    let rate = recording.meta().rate;
    for (trial, of) in recording.trials().iter().enumerate().filter(|(_, t)| t.domain == domain) {
        let events = events_of(recording, of.video, of.video_start, of.frames);
        if events.is_empty() {
            continue;
        }
        let values = recording.responses(trial)?.mapv(f64::from);
        let times: Vec<f64> = (0..of.frames).map(|n| n as f64 / rate).collect();
        let responses = event_responses(&times, values.view(), &windows(&events), Delay::Same(delay))?;
        found.add(&events, responses, recording.frames(trial, 0, of.frames)?.view())?;
    }
    some(found, recording, domain)
}

/// Responses that a network predicts to the same videos, each shown once with the eye at its mean position and mean behaviour.
///
/// # Errors
/// Those of [`in_vivo`], and a network that does not fit.
pub fn in_silico(network: &Network, recording: &Recording, domain: &str) -> Result<EventResponses, Error> {
    let mut found = EventResponses::new(network.config().units);
    let mut shown = Vec::new();
    for of in recording.trials().iter().filter(|t| t.domain == domain) {
        let piece = (of.video, of.video_start, of.frames);
        let events = events_of(recording, of.video, of.video_start, of.frames);
        if events.is_empty() || shown.contains(&piece) {
            continue;
        }
        shown.push(piece);
        let frames = recording.video_frames(of.video, of.video_start, of.frames)?;
        let responses = predict(network, frames.view(), recording.meta().rate, &events)?;
        found.add(&events, responses, frames.view())?;
    }
    some(found, recording, domain)
}

/// Responses that a network predicts to a stimulus, in pieces that begin anew so that length costs no memory.
///
/// # Errors
/// The stimulus has no events, or does not fit the network.
pub fn to_film(network: &Network, film: Film, progress: &mut dyn FnMut(usize, usize)) -> Result<EventResponses, Error> {
    const PIECE: usize = 900; // frames: 30 s at 30 Hz
    let ([frames, height, width], rate, events) = (film.shape(), film.rate(), film.events().to_vec());
    let channels = network.config().channels;
    let mut found = EventResponses::new(network.config().units);
    let mut film = film.peekable();
    let mut start = 0;
    while film.peek().is_some() {
        // whole events only: a piece ends where the next one begins, and starts with frames for the network to settle
        let last = events.iter().filter(|e| timed(e)).map(|e| e.offset_frame).max().unwrap_or(0);
        let next = events.iter().map(|e| e.onset_frame).find(|onset| *onset >= start + PIECE);
        let end = next.unwrap_or_else(|| last.max(start + PIECE)).min(frames);
        let pixels: Vec<u8> = film.by_ref().take(end - start).flatten().flat_map(|v| std::iter::repeat_n(v, channels)).collect();
        let grey = vec![GREY; BURNIN * height * width * channels];
        let shape = (BURNIN + end - start, height, width, channels);
        let piece = ndarray::Array4::from_shape_vec(shape, [grey, pixels].concat()).map_err(|e| Error::Length {
            what: "frames of the stimulus",
            expected: format!("{shape:?}"),
            got: e.to_string(),
        })?;
        let shift = |e: &Event| {
            let (on, off) = (e.onset_frame - start + BURNIN, e.offset_frame - start + BURNIN);
            Event { onset_frame: on, offset_frame: off, onset: on as f64 / rate, offset: off as f64 / rate, shown: e.shown.clone() }
        };
        let own: Vec<Event> = events.iter().filter(|e| e.onset_frame >= start && e.offset_frame <= end && timed(e)).map(shift).collect();
        if !own.is_empty() {
            found.add(&own, predict(network, piece.view(), rate, &own)?, piece.view())?;
        }
        start = end;
        progress(start, frames);
    }
    if found.events.is_empty() {
        return Err(Error::NoEvents { of: "the stimulus".into(), domain: String::new() });
    }
    Ok(found)
}

fn predict(network: &Network, frames: ArrayView4<u8>, rate: f64, events: &[Event]) -> Result<Array2<f64>, Error> {
    let (video, _) = fit_video(network, frames.to_owned().insert_axis(Axis(1)), false)?;
    let predicted = respond(network, video.view(), None, None, RespondOptions::default())?;
    let predicted = predicted.index_axis_move(Axis(1), 0).mapv(f64::from);
    Ok(frame_responses(predicted.view(), 1.0 / rate, BURNIN, &windows(events), Delay::default())?)
}

/// Events of a piece of video, counted from its first frame.
fn events_of(recording: &Recording, video: usize, start: usize, frames: usize) -> Vec<Event> {
    let rate = recording.meta().rate;
    let within = |e: &&Event| timed(e) && e.onset_frame >= start && e.offset_frame <= start + frames;
    let counted = |e: &Event| {
        let (on, off) = (e.onset_frame - start, e.offset_frame - start);
        let shift = start as f64 / rate;
        Event { onset_frame: on, offset_frame: off, onset: e.onset - shift, offset: e.offset - shift, shown: e.shown.clone() }
    };
    recording.videos()[video].events.iter().filter(within).map(counted).collect()
}

fn timed(event: &Event) -> bool {
    event.shown != Shown::Continuous
}

/// Windows of events. The last frame is the one before the offset: both ends of a window count.
fn windows(events: &[Event]) -> Vec<Window> {
    let half = |e: &Event| 0.5 * (e.offset - e.onset) / (e.offset_frame - e.onset_frame).max(1) as f64;
    events.iter().map(|e| Window { onset_s: e.onset - 1e-9, offset_s: e.offset - half(e) }).collect()
}

fn some(found: EventResponses, recording: &Recording, domain: &str) -> Result<EventResponses, Error> {
    if found.events.is_empty() {
        return Err(Error::NoEvents { of: recording.path().display().to_string(), domain: format!(" of domain {domain}") });
    }
    Ok(found)
}

/// What events say of each unit.
#[derive(Clone, Debug, Default)]
pub struct Tuning {
    /// Curves over direction, and their tuning: four directions or more.
    pub direction: Option<(Curves, Vec<DirectionTuning>)>,
    /// Maps [U, h, w] of dark dots, and their receptive fields.
    pub spatial: Option<(Array3<f64>, Vec<SpatialTuning>)>,
    /// Further tables by name: size, contrast, spatial and temporal frequency, where an event has several levels of them.
    pub others: Vec<(&'static str, Curves, Table)>,
}

/// Fewest levels of a parameter that make a curve.
const LEVELS: usize = 4;

/// Tuning of every unit for whatever the events vary.
///
/// # Errors
/// Nothing varies in four levels or more, and there are no dark dots.
pub fn tuning(seen: &EventResponses) -> Result<Tuning, Error> {
    let mut tuning = Tuning::default();
    let label = |of: fn(&Shown) -> f64| -> Vec<f64> { seen.events.iter().map(|e| of(&e.shown)).collect() };
    let responses = seen.responses.view();
    let directions = Curves::of_directions(&label(direction), responses)?;
    if directions.levels.len() >= LEVELS {
        let tuned = direction_tuning(&directions)?;
        tuning.direction = Some((directions, tuned));
    }
    if let Some((masks, shown, responses)) = seen.dark_dots() {
        let maps = sta(masks.view(), &shown, responses.view())?;
        let tuned = spatial_tuning(maps.view());
        tuning.spatial = Some((maps, tuned));
    }
    let varied = |of: fn(&Shown) -> f64| -> Result<Option<Curves>, Error> {
        let curves = Curves::new(&label(of), responses)?;
        Ok((curves.levels.len() >= LEVELS).then_some(curves))
    };
    if let Some(curves) = varied(size)? {
        let table = size_table(&size_tuning(&curves)?)?;
        tuning.others.push(("size", curves, table));
    }
    if let Some(curves) = varied(contrast)? {
        let table = contrast_table(&contrast_tuning(&curves)?)?;
        tuning.others.push(("contrast", curves, table));
    }
    for (name, of) in [("spatial_frequency", spatial as fn(&Shown) -> f64), ("temporal_frequency", temporal)] {
        if let Some(curves) = varied(of)? {
            let table = frequency_table(&frequency_tuning(&curves)?)?;
            tuning.others.push((name, curves, table));
        }
    }
    if tuning.direction.is_none() && tuning.spatial.is_none() && tuning.others.is_empty() {
        return Err(Error::NothingVaries { events: seen.events.len() });
    }
    Ok(tuning)
}

impl Tuning {
    /// One table per kind of tuning, by name, with the units' ids.
    pub fn tables(&self, ids: &[String]) -> Result<Vec<(&'static str, Table)>, Error> {
        let mut tables = Vec::new();
        if let Some((_, tuned)) = &self.direction {
            tables.push(("direction", direction_table(tuned)?));
        }
        if let Some((_, tuned)) = &self.spatial {
            tables.push(("spatial", spatial_table(tuned)?));
        }
        tables.extend(self.others.iter().map(|(name, _, table)| (*name, table.clone())));
        let named = |(name, table): (&'static str, Table)| -> Result<_, Error> {
            let mut out = Table::new().with("id", ids.to_vec())?;
            table.columns().filter(|(column, _)| *column != "unit").try_for_each(|(column, values)| out.push(column, values.clone()))?;
            Ok((name, out))
        };
        tables.into_iter().map(named).collect()
    }
}

/// Mean responses [U, K] and levels of curves as one table: id, then a column for each level.
///
/// # Errors
/// Never in practice: levels differ.
pub fn curve_table(curves: &Curves, ids: &[String]) -> Result<Table, Error> {
    let mut table = Table::new().with("id", ids.to_vec())?;
    for (k, level) in curves.levels.iter().enumerate() {
        table.push(format!("{level}"), curves.mean.column(k).to_vec())?;
    }
    Ok(table)
}

fn direction(shown: &Shown) -> f64 {
    match shown {
        Shown::Motion { direction } | Shown::Gabor { direction, .. } | Shown::Grating { direction, .. } | Shown::Bar { direction, .. } => *direction,
        Shown::Flow { direction, .. } => direction.unwrap_or(f64::NAN),
        _ => f64::NAN,
    }
}

fn size(shown: &Shown) -> f64 {
    if let Shown::Grating { size, .. } = shown { size.unwrap_or(f64::NAN) } else { f64::NAN }
}

fn contrast(shown: &Shown) -> f64 {
    if let Shown::Grating { contrast, .. } | Shown::Gabor { contrast, .. } = shown { *contrast } else { f64::NAN }
}

fn spatial(shown: &Shown) -> f64 {
    if let Shown::Grating { spatial, .. } | Shown::Gabor { spatial, .. } = shown { *spatial } else { f64::NAN }
}

fn temporal(shown: &Shown) -> f64 {
    if let Shown::Grating { temporal, .. } | Shown::Gabor { temporal, .. } = shown { *temporal } else { f64::NAN }
}
