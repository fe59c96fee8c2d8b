//! Video of every format, and every way it can be damaged.

use crate::npy_file::npy;
use image::codecs::gif::GifEncoder;
use image::{Delay, DynamicImage, Frame, GrayImage, RgbImage};
use std::path::{Path, PathBuf};
use std::process::Command;
use striate_import::video::{VideoArray, read_video};

fn read(path: &Path, channels: usize) -> VideoArray {
    read_video(&[path], channels).unwrap_or_else(|e| panic!("{e}"))
}

/// The message of a refusal, which always names the file.
fn refused(path: &Path) -> String {
    let message = read_video(&[path], 1).expect_err("should be refused").to_string();
    assert!(message.contains(path.file_name().unwrap().to_str().unwrap()), "{message}");
    message
}

fn colour(height: u32, width: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| image::Rgb([(x * 20 + seed) as u8, (y * 30 + seed) as u8, (x * y + 7 * seed) as u8]))
}

#[test]
fn arrays_of_every_shape_keep_their_pixels_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.npy");
    let data: Vec<u8> = (0..48).collect();
    let grey = read(&npy(&path, "|u1", "(2, 4, 6)", "False", &data), 1);
    assert_eq!(grey.frames.dim(), (2, 1, 4, 6, 1));
    assert_eq!((grey.frames[[1, 0, 2, 3, 0]], grey.rate), (24 + 12 + 3, None));
    assert_eq!(read(&npy(&path, "|u1", "(2, 4, 6, 1)", "False", &data), 1), grey);
    let several = read(&npy(&path, "|u1", "(2, 2, 2, 6)", "False", &data), 1);
    assert_eq!((several.frames.dim(), several.frames[[1, 1, 0, 5, 0]]), ((2, 2, 2, 6, 1), 24 + 12 + 5));
    let rgb = read(&npy(&path, "|u1", "(2, 2, 4, 3)", "False", &data), 3);
    assert_eq!((rgb.frames.dim(), rgb.frames[[1, 0, 1, 2, 1]]), ((2, 1, 2, 4, 3), 24 + 12 + 6 + 1));
    let both = read(&npy(&path, "|u1", "(2, 2, 2, 2, 3)", "False", &data), 3);
    assert_eq!((both.frames.dim(), both.frames[[1, 1, 0, 1, 2]]), ((2, 2, 2, 2, 3), 24 + 12 + 3 + 2));
    let repeated = read(&npy(&path, "|u1", "(2, 4, 6)", "False", &data), 3);
    assert!((0..3).all(|c| repeated.frames[[1, 0, 2, 3, c]] == 39));
    let fortran = read(&npy(&path, "|u1", "(2, 4, 6)", "True", &data), 1);
    assert_eq!(fortran.frames[[1, 0, 2, 3, 0]], 1 + 2 * (2 + 4 * 3), "first axis runs fastest");
    let grey_of_colour = read(&npy(&path, "|u1", "(1, 1, 2, 3)", "False", &[255, 0, 0, 10, 20, 30]), 1);
    assert_eq!((grey_of_colour.frames.as_slice().unwrap(), grey_of_colour.turned_grey), ([76, 18].as_slice(), true));
    let grey_in_rgb = read(&npy(&path, "|u1", "(1, 1, 2, 3)", "False", &[9, 9, 9, 8, 8, 8]), 1);
    assert!(!grey_in_rgb.turned_grey && !rgb.turned_grey, "nothing was lost");
}

#[test]
fn archives_of_arrays_say_how_to_save_one() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["v.npz", "v.npy"] {
        let path = folder.path().join(name);
        std::fs::write(&path, b"PK\x03\x04 and so on").unwrap();
        assert!(refused(&path).contains("numpy.save"));
    }
}

#[test]
fn damaged_arrays_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.npy");
    let cases = [
        ("<f4", "(1, 2, 2)", 16, "<f4, expected uint8"),
        ("|b1", "(1, 2, 2)", 4, "expected uint8"),
        ("|u1", "(1, 2, 2)", 3, "asks for 4 bytes, there are 3"),
        ("|u1", "(1, 2, 2)", 5, "asks for 4 bytes, there are 5"),
        ("|u1", "(0, 2, 2)", 0, "empty"),
        ("|u1", "(4,)", 4, "shape is [4], expected"),
        ("|u1", "(1, 1, 1, 4)", 4, "expected [T, H, W]"),
        ("|u1", "(1, 1, 1, 1, 2)", 2, "expected [T, H, W]"),
        ("|u1", "(4294967296, 4294967296, 4294967296)", 4, "too many bytes"),
        ("|u1", "(99999999999999999999, 1, 1)", 4, "not a NumPy"),
        ("|u1", "(-1, 2, 2)", 4, "not a NumPy"),
    ];
    for (descr, shape, bytes, part) in cases {
        let message = refused(&npy(&path, descr, shape, "False", &vec![0; bytes]));
        assert!(message.contains(part), "{descr} {shape}: {message}");
    }
    let whole = std::fs::read(npy(&path, "|u1", "(1, 2, 2)", "False", &[0; 4])).unwrap();
    for length in 0..whole.len() {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path);
    }
    std::fs::write(&path, b"").unwrap();
    assert!(refused(&path).contains("the file is empty"));
    std::fs::write(&path, b"\x93NUMPY\x02\x00\xff\xff\xff\xff{").unwrap();
    refused(&path);
    assert!(read_video(&[folder.path().join("absent.npy")], 1).unwrap_err().to_string().contains("absent.npy"));
}

#[test]
fn frames_are_read_in_natural_order() {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = [10, 2, 1].iter().map(|i| folder.path().join(format!("frame{i}.png"))).collect();
    for (path, value) in paths.iter().zip([10, 2, 1]) {
        GrayImage::from_pixel(4, 3, image::Luma([value])).save(path).unwrap();
    }
    std::fs::write(folder.path().join(".DS_Store"), b"x").unwrap();
    let video = read(folder.path(), 1);
    assert_eq!(video.frames.dim(), (3, 1, 3, 4, 1));
    assert_eq!((0..3).map(|t| video.frames[[t, 0, 0, 0, 0]]).collect::<Vec<_>>(), [1, 2, 10]);
    assert_eq!(read_video(&paths, 1).unwrap(), video, "a list of the same files");

    let image = colour(6, 5, 1);
    DynamicImage::ImageRgb8(image.clone()).into_rgba8().save(folder.path().join("one.png")).unwrap();
    assert_eq!(read(&folder.path().join("one.png"), 3).frames.as_slice().unwrap(), image.as_raw().as_slice());
    image.save(folder.path().join("one.jpg")).unwrap();
    let jpeg = read(&folder.path().join("one.jpg"), 1);
    let png = read(&folder.path().join("one.png"), 1);
    assert_eq!(jpeg.frames.dim(), (1, 1, 6, 5, 1));
    let away = jpeg.frames.iter().zip(&png.frames).map(|(a, b)| a.abs_diff(*b)).max().unwrap();
    assert!(away < 60, "a JPEG is near its original: {away}");
}

#[test]
fn wrong_frames_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    assert!(refused(folder.path()).contains("empty"));
    GrayImage::new(4, 3).save(path("a.png")).unwrap();
    GrayImage::new(5, 3).save(path("b.png")).unwrap();
    let message = read_video(&[folder.path()], 1).unwrap_err().to_string();
    assert!(message.contains("b.png: the frame is 3 x 5 (height x width), expected 3 x 4 as in") && message.contains("a.png"), "{message}");

    std::fs::write(path("b.png"), &std::fs::read(path("a.png")).unwrap()[..40]).unwrap();
    assert!(refused(&path("b.png")).contains("not a readable PNG"));
    for content in [&b""[..], b"text", &[0x89, b'P', b'N', b'G']] {
        std::fs::write(path("b.png"), content).unwrap();
        refused(&path("b.png"));
    }
    DynamicImage::ImageLuma16(image::ImageBuffer::new(4, 3)).save(path("b.png")).unwrap();
    assert!(refused(&path("b.png")).contains("8 bits"));
    std::fs::remove_file(path("b.png")).unwrap();

    std::fs::write(path("notes.txt"), b"hello").unwrap();
    let message = read_video(&[folder.path()], 1).unwrap_err().to_string();
    assert!(message.contains("notes.txt: not a PNG or JPEG frame"), "{message}");
    assert!(read_video::<&str>(&[], 1).unwrap_err().to_string().contains("no file"));
    assert!(read_video(&[path("a.png")], 2).unwrap_err().to_string().contains("not 2"));
}

fn gif(path: &Path, delays: &[u32]) -> Vec<RgbImage> {
    let shades: Vec<RgbImage> = (0..delays.len()).map(|i| RgbImage::from_pixel(6, 4, image::Rgb([i as u8 * 51, 102, 255]))).collect();
    let mut encoder = GifEncoder::new(std::fs::File::create(path).unwrap());
    for (shade, delay) in shades.iter().zip(delays) {
        let frame = DynamicImage::ImageRgb8(shade.clone()).into_rgba8();
        encoder.encode_frame(Frame::from_parts(frame, 0, 0, Delay::from_numer_denom_ms(*delay, 1))).unwrap();
    }
    shades
}

#[test]
fn gifs_give_frames_and_rate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.gif");
    let shades = gif(&path, &[30, 40, 30]);
    let video = read(&path, 3);
    assert_eq!(video.frames.dim(), (3, 1, 4, 6, 3));
    for (t, shade) in shades.iter().enumerate() {
        assert_eq!(video.frames.index_axis(ndarray::Axis(0), t).as_slice().unwrap(), shade.as_raw().as_slice(), "frame {t}");
    }
    assert!((video.rate.unwrap() - 30.0).abs() < 1e-9);
    gif(&path, &[30, 900]);
    assert_eq!(read(&path, 1).rate, None);

    let whole = std::fs::read(&path).unwrap();
    for length in [0, 5, 12, whole.len() / 2, whole.len() - 4, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).unwrap();
        refused(&path);
    }
}

/// A gif whose second frame covers only its top left pixel: the rest must stay.
#[test]
fn gif_frames_are_composited() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("v.gif");
    let mut encoder = GifEncoder::new(std::fs::File::create(&path).unwrap());
    let pixels = |w, h, v| DynamicImage::ImageLuma8(GrayImage::from_pixel(w, h, image::Luma([v]))).into_rgba8();
    encoder.encode_frame(Frame::new(pixels(3, 2, 200))).unwrap();
    encoder.encode_frame(Frame::new(pixels(1, 1, 10))).unwrap();
    drop(encoder);
    let mut bytes = std::fs::read(&path).unwrap();
    let controls: Vec<usize> = (0..bytes.len() - 3).filter(|i| bytes[*i..].starts_with(&[0x21, 0xf9, 4])).collect();
    assert_eq!(controls.len(), 2);
    for control in controls {
        bytes[control + 3] = bytes[control + 3] & 0b1110_0011 | 1 << 2; // disposal: leave the frame in place
    }
    std::fs::write(&path, bytes).unwrap();
    let video = read(&path, 1);
    assert_eq!(video.frames.as_slice().unwrap(), [200, 200, 200, 200, 200, 200, 10, 200, 200, 200, 200, 200]);
    assert_eq!(video.rate, None, "delays of zero are no rate");
}

#[test]
fn films_are_decoded_by_ffmpeg() {
    if Command::new("ffmpeg").arg("-version").output().is_err() {
        return println!("skipped: ffmpeg is not installed");
    }
    let folder = tempfile::tempdir().unwrap();
    let film = folder.path().join("-film.mkv"); // a name that looks like an option
    let images = folder.path().join("%d.png");
    let shades: Vec<RgbImage> = (0..4).map(|i| colour(10, 14, 40 * i)).collect();
    for (i, shade) in shades.iter().enumerate() {
        shade.save(folder.path().join(format!("{i}.png"))).unwrap();
    }
    let encode = |args: &[&str], to: &Path| {
        let mut command = Command::new("ffmpeg");
        command.args(["-loglevel", "error", "-y", "-r", "30000/1001", "-i"]).arg(&images).args(args).arg(format!("file:{}", to.display()));
        assert!(command.status().unwrap().success());
    };
    encode(&["-c:v", "ffv1", "-pix_fmt", "bgr0"], &film); // lossless colour
    let video = read(&film, 3);
    assert_eq!(video.frames.dim(), (4, 1, 10, 14, 3));
    for (t, shade) in shades.iter().enumerate() {
        assert_eq!(video.frames.index_axis(ndarray::Axis(0), t).as_slice().unwrap(), shade.as_raw().as_slice(), "frame {t}");
    }
    assert!((video.rate.unwrap() - 30000.0 / 1001.0).abs() < 1e-9);
    let png = read(&folder.path().join("1.png"), 1);
    assert_eq!(read(&film, 1).frames.index_axis(ndarray::Axis(0), 1), png.frames.index_axis(ndarray::Axis(0), 0), "the same grey");

    let mp4 = folder.path().join("film.mp4");
    encode(&["-c:v", "mpeg4", "-q:v", "1", "-movflags", "+faststart"], &mp4);
    assert_eq!(read(&mp4, 1).frames.dim(), (4, 1, 10, 14, 1));
    let whole = std::fs::read(&mp4).unwrap();
    for length in [0, 20, whole.len() / 2, whole.len() - 30] {
        std::fs::write(&mp4, &whole[..length]).unwrap();
        assert!(refused(&mp4).contains("ffmpeg cannot decode it"));
    }
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "this is no film\n".repeat(99)).unwrap();
    refused(&text);
    assert!(read_video(&[folder.path().join("absent.mp4")], 1).unwrap_err().to_string().contains("absent.mp4"));
}
