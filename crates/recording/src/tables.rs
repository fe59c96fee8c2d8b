//! Tables of videos, trials and units, and the description of the whole, kept as attributes of the group.

use crate::description::{Meta, Tier, Trial, UnitTable, VideoEntry};
use crate::error::Error;
use crate::recording::FORMAT;
use serde_json::Value;
use std::path::Path;
use striate_stimulus::Event;

pub(crate) fn read_meta(path: &Path, attributes: &Value) -> Result<Meta, Error> {
    let wrong = |got: String| Error::damaged(path, "attribute striate", "the recording's description (see docs/data.md)", got);
    let mut found = attributes.get("striate").cloned().ok_or_else(|| wrong("none: this Zarr group is not a recording".into()))?;
    let version = found.as_object_mut().and_then(|o| o.remove("format"));
    if version.as_ref().and_then(Value::as_u64) != Some(FORMAT) {
        let got = version.map_or_else(|| "none".into(), |v| v.to_string());
        return Err(Error::damaged(path, "attribute striate.format", FORMAT.to_string(), got));
    }
    serde_json::from_value(found).map_err(|e| wrong(e.to_string()))
}

/// Tables kept as attributes: named columns of equal length.
pub(crate) struct Tables<'a> {
    pub(crate) path: &'a Path,
    pub(crate) attributes: &'a Value,
}

impl Tables<'_> {
    fn column<'a>(&'a self, table: &str, column: &str) -> Result<&'a Vec<Value>, Error> {
        let found = self.attributes.get(table).and_then(|t| t.get(column));
        found.and_then(Value::as_array).ok_or_else(|| {
            let got = found.map_or("nothing", |_| "something else");
            Error::damaged(self.path, format!("attribute {table}.{column}"), "a list", got)
        })
    }

    fn values<T>(&self, table: &str, column: &str, rows: Option<usize>, get: impl Fn(&Value) -> Option<T>) -> Result<Vec<T>, Error> {
        let values = self.column(table, column)?;
        if let Some(rows) = rows
            && values.len() != rows
        {
            return Err(Error::damaged(self.path, format!("attribute {table}.{column}"), format!("{rows} values"), values.len().to_string()));
        }
        let wrong = |v: &Value| Error::damaged(self.path, format!("attribute {table}.{column}"), "values of its type", v.to_string());
        values.iter().map(|v| get(v).ok_or_else(|| wrong(v))).collect()
    }

    fn text(&self, table: &str, column: &str, rows: Option<usize>) -> Result<Vec<String>, Error> {
        self.values(table, column, rows, |v| v.as_str().map(str::to_owned))
    }

    fn index(&self, table: &str, column: &str, rows: usize) -> Result<Vec<usize>, Error> {
        self.values(table, column, Some(rows), |v| v.as_u64().and_then(|v| usize::try_from(v).ok()))
    }

    pub(crate) fn videos(&self) -> Result<Vec<VideoEntry>, Error> {
        let names = self.text("videos", "name", None)?;
        let (start, frames) = (self.index("videos", "start", names.len())?, self.index("videos", "frames", names.len())?);
        let mut events = self.events(names.len())?.into_iter();
        let video = |((name, start), frames): ((String, usize), usize)| -> Result<VideoEntry, Error> {
            let events = events.next().map_or_else(|| Ok(Vec::new()), |events| self.events_of(&name, frames, events))?;
            Ok(VideoEntry { name, start, frames, events })
        };
        names.into_iter().zip(start).zip(frames).map(video).collect()
    }

    /// What each video shows when, as stored; nothing where the recording does not say.
    fn events(&self, videos: usize) -> Result<Vec<Value>, Error> {
        match self.attributes.get("videos").and_then(|table| table.get("events")) {
            Some(_) => self.values("videos", "events", Some(videos), |v| Some(v.clone())),
            None => Ok(Vec::new()),
        }
    }

    /// Events of one video: whole, in order, and within its frames.
    fn events_of(&self, video: &str, frames: usize, stored: Value) -> Result<Vec<Event>, Error> {
        let what = |event: usize| format!("attribute videos.events, event {event} of video {video}");
        let Value::Array(stored) = stored else {
            return Err(Error::damaged(self.path, format!("attribute videos.events of video {video}"), "a list of events", stored.to_string()));
        };
        let mut events: Vec<Event> = Vec::with_capacity(stored.len());
        for (i, value) in stored.into_iter().enumerate() {
            let text = value.to_string();
            let event: Event = serde_json::from_value(value).map_err(|e| Error::damaged(self.path, what(i), "an event", format!("{text} ({e})")))?;
            let Event { onset_frame, offset_frame, onset, offset, .. } = event;
            let expected = if onset_frame >= offset_frame || offset_frame > frames {
                format!("an onset before an offset within the video's {frames} frames")
            } else if !onset.is_finite() || onset >= offset {
                "an onset in seconds before the offset".to_owned()
            } else if events.last().is_some_and(|before| before.onset_frame > onset_frame) {
                "an onset no earlier than the event's before".to_owned()
            } else {
                events.push(event);
                continue;
            };
            return Err(Error::damaged(self.path, what(i), expected, format!("frames {onset_frame} to {offset_frame}, {onset} to {offset} s")));
        }
        Ok(events)
    }

    pub(crate) fn trials(&self) -> Result<Vec<Trial>, Error> {
        let names = self.text("trials", "name", None)?;
        let rows = names.len();
        let index = |column| self.index("trials", column, rows);
        let (video, video_start, frames, start) = (index("video")?, index("video_start")?, index("frames")?, index("start")?);
        let tier = self.tiers(rows)?;
        let domain = self.text("trials", "domain", Some(rows))?;
        let trial = |(i, name): (usize, String)| Trial {
            name,
            video: video[i],
            video_start: video_start[i],
            frames: frames[i],
            start: start[i],
            tier: tier[i],
            domain: domain[i].clone(),
        };
        Ok(names.into_iter().enumerate().map(trial).collect())
    }

    fn tiers(&self, rows: usize) -> Result<Vec<Tier>, Error> {
        let names = self.text("trials", "tier", Some(rows))?;
        let tier = |name: String| {
            serde_json::from_value(Value::from(name.as_str()))
                .map_err(|_| Error::damaged(self.path, "attribute trials.tier", "train, validation or test", format!("{name:?}")))
        };
        names.into_iter().map(tier).collect()
    }

    pub(crate) fn units(&self) -> Result<UnitTable, Error> {
        let rows = self.column("units", "id")?.len();
        let names = self.attributes.get("units").and_then(Value::as_object).map(|o| o.keys().cloned().collect::<Vec<_>>()).unwrap_or_default();
        let mut columns = vec![("id".to_owned(), self.values("units", "id", Some(rows), |v| Some(v.clone()))?)];
        for name in names.into_iter().filter(|n| n != "id") {
            let values = self.values("units", &name, Some(rows), |v| Some(v.clone()))?;
            columns.push((name, values));
        }
        Ok(UnitTable { columns })
    }
}
