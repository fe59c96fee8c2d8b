//! `striate stimulus`: videos of the paper's and the usual stimuli, with what they show when.

use crate::output::{bar, say, table, write};
use anyhow::{Context, Result, anyhow, bail};
use clap::Args;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use striate::import::video::{VideoWriter, read_pictures, write_png};
use striate::stimulus::picture::Picture;
use striate::stimulus::{Event, Film, Stimulus};
use toml::{Table, Value};

/// Make a stimulus: a video to show a twin or an animal, and a table of its events.
///
/// Without a name, lists the stimuli. The video is written frame by frame as .zarr, .npy, .gif, .mp4 (through ffmpeg), or, without an ending, a folder
/// of PNG frames; the events go beside it, as VIDEO.events.csv.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  striate stimulus gabors -o gabors.zarr\n  striate stimulus gratings 'spatial=[0.02, 0.04, 0.08]' monitor.distance=20 --seconds 600 --seed 1 -o tuning.npy --preview tuning.png\n  striate stimulus pictures --pictures photos --size 72x128 -o pictures.zarr\n  striate stimulus dots --print-config"
)]
pub struct MakeStimulus {
    /// Which stimulus.
    name: Option<String>,
    /// Settings that differ from the defaults, for example spatial=0.08.
    #[arg(value_name = "KEY=VALUE")]
    settings: Vec<String>,
    /// Settings in a TOML file, as --print-config prints them; KEY=VALUE goes before it.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Length in frames.
    #[arg(long, value_name = "T", conflicts_with = "seconds")]
    frames: Option<usize>,
    /// Length in seconds.
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    seconds: Option<f64>,
    /// Frames per second; the length in seconds stays.
    #[arg(long, value_name = "HZ", allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Height and width in pixels.
    #[arg(long, value_name = "HxW", value_parser = size, allow_hyphen_values = true)]
    size: Option<[usize; 2]>,
    /// Pictures to show: PNG or JPEG files, or folders of them. Cut to the proportions of the frames and resampled.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pictures: Vec<PathBuf>,
    /// Video to create.
    #[arg(short, long)]
    output: Option<PathBuf>,
    /// PNG of frames from begin to end, to look at; one that is there is replaced.
    #[arg(long, value_name = "PNG")]
    preview: Option<PathBuf>,
    /// List the stimuli.
    #[arg(long)]
    list: bool,
    /// Print the settings as TOML and make nothing.
    #[arg(long)]
    print_config: bool,
}

impl MakeStimulus {
    /// Runs the verb.
    pub fn run(mut self) -> Result<ExitCode> {
        if self.name.as_ref().is_some_and(|name| name.contains('=')) {
            self.settings.extend(self.name.take()); // the configuration says which stimulus
        }
        if self.list || (self.name.is_none() && self.config.is_none()) {
            if !self.list && self.output.is_some() {
                bail!("name a stimulus; `striate stimulus --list` lists them");
            }
            let rows = Stimulus::all().iter().map(|s| vec![s.name().to_owned(), s.about().to_owned()]).collect();
            say(table(&["stimulus", "what is shown"], rows, 2));
            return Ok(ExitCode::SUCCESS);
        }
        let stimulus = self.stimulus()?;
        if self.print_config {
            say(toml::to_string(&stimulus)?.trim_end());
            return Ok(ExitCode::SUCCESS);
        }
        let Some(output) = &self.output else { bail!("name the video to create (-o)") };
        let film = stimulus.film(self.read_pictures(&stimulus)?, self.seed)?;
        let [t, h, w] = film.shape();
        let (rate, count) = (film.rate(), film.events().len());
        let description = Map::from_iter([
            ("format".to_owned(), 1.into()),
            ("stimulus".to_owned(), serde_json::to_value(&stimulus)?),
            ("seed".to_owned(), self.seed.into()),
            ("events".to_owned(), serde_json::to_value(film.events())?),
        ]);
        let events = output.with_extension("events.csv");
        self.write(film, description, output, &events)?;
        say(format!("{}: {t} frames of {h} x {w} at {rate} Hz, {:.1} s; {count} events in {}", output.display(), t as f64 / rate, events.display()));
        Ok(ExitCode::SUCCESS)
    }

    fn write(&self, film: Film, description: Map<String, Json>, output: &Path, events: &Path) -> Result<()> {
        if events.exists() {
            bail!("{}: exists already; choose another name or remove it", events.display());
        }
        let [frames, height, width] = film.shape();
        let table = csv_of(film.events())?;
        let mut writer = VideoWriter::create(output, film.shape(), film.rate())?;
        let mut preview = self.preview.is_some().then(|| Preview::new(film.shape()));
        let progress = bar(frames, "drawing");
        for (t, frame) in film.enumerate() {
            writer.push(&frame)?;
            if let Some(preview) = &mut preview {
                preview.see(t, frame);
            }
            progress.inc(1);
        }
        progress.finish_and_clear();
        write(events, &table)?;
        let named = writer.finish(description);
        if named.is_err() {
            let _ = std::fs::remove_file(events); // a table without its video says nothing
        }
        named?;
        match (&self.preview, preview) {
            (Some(path), Some(preview)) => Ok(preview.save(path, [height, width])?),
            _ => Ok(()),
        }
    }

    /// The stimulus with the settings of the configuration, then those of the command line.
    fn stimulus(&self) -> Result<Stimulus> {
        let mut config = self.config.as_deref().map(read_toml).transpose()?.unwrap_or_default();
        let named = config.remove("stimulus");
        let name = match (&self.name, named.as_ref().map(|n| n.as_str().unwrap_or_default())) {
            (Some(name), Some(other)) if name != other => bail!("the configuration is of {other}, not of {name}"),
            (Some(name), _) => name.as_str(),
            (None, Some(name)) => name,
            (None, None) => bail!("name a stimulus, or give `stimulus` in the configuration"),
        };
        let all = Stimulus::all();
        let Some(default) = all.iter().find(|s| s.name() == name) else {
            let names = all.iter().map(Stimulus::name).collect::<Vec<_>>().join(", ");
            bail!("there is no stimulus {name}; there are {names}");
        };
        let mut settings = Table::try_from(default)?;
        let was = settings.clone();
        let origin = self.config.as_deref().map(|path| path.display().to_string()).unwrap_or_default();
        change(&mut settings, config, &origin)?;
        for text in &self.settings {
            change(&mut settings, assignment(text)?, text)?;
        }
        if let Some([height, width]) = self.size {
            change(&mut settings, assignment(&format!("height={height}"))?, "--size")?;
            change(&mut settings, assignment(&format!("width={width}"))?, "--size")?;
        }
        self.set_length(&mut settings, &was)?;
        let stimulus = Stimulus::deserialize(settings).map_err(|e| anyhow!("{}", e.message()))?;
        stimulus.check()?;
        Ok(stimulus)
    }

    /// Sets rate and frames; where only the rate changes, the length in seconds stays.
    fn set_length(&self, settings: &mut Table, was: &Table) -> Result<()> {
        if let Some(rate) = self.rate {
            change(settings, Table::from_iter([("rate".to_owned(), Value::Float(rate))]), "--rate")?;
        }
        let number = |table: &Table, key| table.get(key).and_then(|v: &Value| v.as_float().or(v.as_integer().map(|n| n as f64)));
        let rate = number(settings, "rate").unwrap_or(f64::NAN);
        let unchanged = settings.get("frames") == was.get("frames");
        let seconds = match (number(was, "frames"), number(was, "rate")) {
            (Some(frames), Some(was)) if unchanged && was != rate => Some(frames / was),
            _ => None,
        };
        let frames = match (self.frames, self.seconds.or(seconds)) {
            (Some(frames), _) => frames as f64,
            (None, Some(seconds)) => (seconds * rate).round(),
            (None, None) => return Ok(()),
        };
        if !(1.0..=1e12).contains(&frames) {
            bail!("that is {frames} frames; a video has at least one, and ends");
        }
        change(settings, Table::from_iter([("frames".to_owned(), Value::Integer(frames as i64))]), "--frames")
    }

    fn read_pictures(&self, stimulus: &Stimulus) -> Result<Vec<Picture>> {
        let Stimulus::Pictures(spec) = stimulus else {
            return if self.pictures.is_empty() { Ok(Vec::new()) } else { Err(anyhow!("--pictures: {} shows none", stimulus.name())) };
        };
        if self.pictures.is_empty() {
            bail!("name the pictures to show (--pictures)");
        }
        let size = [spec.height, spec.width];
        let named = |(path, pixels): (PathBuf, Vec<u8>)| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            Picture { name, size, pixels }
        };
        Ok(read_pictures(&self.pictures, size)?.into_iter().map(named).collect())
    }
}

/// A stimulus for a model: settings, frames of its size at its rate, and a length.
pub fn made(name: &str, settings: &[String], size: [usize; 2], rate: f64, seconds: Option<f64>) -> Result<Stimulus> {
    let asked = MakeStimulus {
        name: Some(name.into()),
        settings: settings.to_vec(),
        config: None,
        seed: 0,
        frames: None,
        seconds,
        rate: Some(rate),
        size: Some(size),
        pictures: Vec::new(),
        output: None,
        preview: None,
        list: false,
        print_config: false,
    };
    asked.stimulus()
}

/// Height and width, written 144x256.
fn size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.split_once('x').and_then(|(h, w)| Some([h.parse().ok()?, w.parse().ok()?]));
    sides.ok_or_else(|| "expected height x width in pixels, such as 144x256".into())
}

fn read_toml(path: &Path) -> Result<Table> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    toml::from_str(&text).map_err(|e| anyhow!("{}: {}", path.display(), e.message()))
}

/// `key=value` as TOML reads it; a word needs no quotes.
fn assignment(text: &str) -> Result<Table> {
    let (key, value) = text.split_once('=').with_context(|| format!("{text}: expected KEY=VALUE"))?;
    toml::from_str(text)
        .or_else(|_| toml::from_str(&format!("{key}={}", Value::String(value.trim().into()))))
        .map_err(|e| anyhow!("{text}: {}", e.message()))
}

/// Changes settings and lets serde judge them at once, so that an error names where it is from.
fn change(settings: &mut Table, changes: Table, origin: &str) -> Result<()> {
    merge(settings, changes);
    Stimulus::deserialize(settings.clone()).map(drop).map_err(|e| anyhow!("{origin}: {}", e.message()))
}

fn merge(settings: &mut Table, changes: Table) {
    for (key, value) in changes {
        match (settings.get_mut(&key), value) {
            (Some(Value::Table(inner)), Value::Table(changes)) => merge(inner, changes),
            (_, value) => drop(settings.insert(key, value)),
        }
    }
}

/// Events as CSV: when, what, then every value that any of them has.
fn csv_of(events: &[Event]) -> Result<Vec<u8>> {
    let mut columns = ["onset_frame", "offset_frame", "onset", "offset", "type"].map(str::to_owned).to_vec();
    let rows = events.iter().map(serde_json::to_value).collect::<Result<Vec<Json>, _>>()?;
    for key in rows.iter().filter_map(Json::as_object).flat_map(Map::keys) {
        if !columns.contains(key) {
            columns.push(key.clone());
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(&columns)?;
    for row in &rows {
        writer.write_record(columns.iter().map(|column| match &row[column] {
            Json::Null => String::new(),
            Json::String(word) => word.clone(),
            value => value.to_string(),
        }))?;
    }
    Ok(writer.into_inner()?)
}

/// Frames from begin to end of a film, side by side.
struct Preview {
    columns: usize,
    shown: Vec<usize>,
    frames: Vec<Vec<u8>>,
}

impl Preview {
    const COLUMNS: usize = 6;
    const ROWS: usize = 5;

    fn new([frames, ..]: [usize; 3]) -> Self {
        let count = frames.min(Self::COLUMNS * Self::ROWS);
        Self { columns: count.min(Self::COLUMNS), shown: (0..count).map(|k| k * frames / count).collect(), frames: Vec::new() }
    }

    fn see(&mut self, t: usize, frame: Vec<u8>) {
        if self.shown.get(self.frames.len()) == Some(&t) {
            self.frames.push(frame);
        }
    }

    fn save(&self, path: &Path, [height, width]: [usize; 2]) -> Result<(), striate::import::Error> {
        let (rows, wide) = (self.frames.len().div_ceil(self.columns), self.columns * width);
        let mut sheet = vec![0; rows * height * wide];
        for (k, frame) in self.frames.iter().enumerate() {
            let (row, column) = (k / self.columns, k % self.columns);
            for (y, line) in frame.chunks_exact(width).enumerate() {
                sheet[(row * height + y) * wide + column * width..][..width].copy_from_slice(line);
            }
        }
        write_png(path, &sheet, [rows * height, wide])
    }
}
