use std::time::Instant;
use striate_model::config::*;
use striate_model::objective::Targets;
use striate_model::*;
fn main() {
    let big = std::env::args().nth(1).as_deref() != Some("tiny");
    let kind = if std::env::args().nth(2).as_deref() == Some("cvt") { RecurrentKind::CvtLstm } else { RecurrentKind::ConvLstm };
    let mut c = NetworkConfig { units: if big { 8000 } else { 80 }, ..NetworkConfig::default() };
    c.recurrent.kind = kind;
    let (h, w) = if big { (144, 256) } else { (36, 64) };
    if !big {
        c.streams = 2;
        c.perspective.height = 32;
        c.perspective.width = 48;
        c.feedforward.block_channels = vec![8, 16, 16];
        c.feedforward.block_groups = vec![1, 1, 1];
        c.feedforward.out_channels = 32;
        c.recurrent.in_channels = 32;
        c.recurrent.hidden_channels = 32;
        c.recurrent.out_channels = 32;
        c.recurrent.groups = 2;
    }
    let net = Network::new(c, 0).unwrap();
    let video: Vec<u8> = (0..h * w * 16).map(|i| (i * 7919 % 251) as u8).collect();
    let mut run = net.begin(1, Streams::All, Draws::none()).unwrap();
    for _ in 0..2 {
        let t = Instant::now();
        run.step(&Clip { video: Pixels::U8(&video), size: [h, w], eye: &[], behavior: &[], periphery: Periphery::Dark }).unwrap();
        println!("16 frames {:.1} ms/frame", t.elapsed().as_secs_f64() * 1e3 / 16.0);
    }
    let frames = 70 * 5;
    let video: Vec<u8> = (0..h * w * frames).map(|i| (i * 7919 % 251) as u8).collect();
    let y = vec![1.0; frames * net.config().units];
    for i in 0..if big { 1 } else { 4 } {
        let t = Instant::now();
        let clip = Clip { video: Pixels::U8(&video), size: [h, w], eye: &[], behavior: &[], periphery: Periphery::Dark };
        net.objective(&clip, &Targets { responses: &y, burnin: 10 }, 5, 0, Draws::sample(net.config(), 5, i), false).unwrap();
        println!("train step {:.2} s", t.elapsed().as_secs_f64());
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
