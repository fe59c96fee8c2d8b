//! The baseline on macaque V4 responses to photographs (Cowley et al. 2023, GPL-3.0): held-out correlation is what it is known to be.
use crate::reference::find;
use ndarray::{Array2, Array4, Axis, s};
use rand::{SeedableRng, seq::SliceRandom};
use std::io::Read;
use std::path::Path;
use striate_analysis::{FeatureConfig, LinearConfig, LinearNonlinear, median_valid, pearson, stimulus_features};

/// Photographs [images, 112, 112, 3] in the order of their names.
fn photographs(path: &Path) -> Array4<u8> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut names: Vec<String> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
    names.retain(|name| name.ends_with(".jpg") && !name.contains("__MACOSX"));
    names.sort();
    let mut pixels = Vec::new();
    for name in &names {
        let mut bytes = Vec::new();
        archive.by_name(name).unwrap().read_to_end(&mut bytes).unwrap();
        pixels.extend(image::load_from_memory(&bytes).unwrap().to_rgb8().into_raw());
    }
    Array4::from_shape_vec((names.len(), 112, 112, 3), pixels).unwrap()
}

#[test]
fn held_out_correlation_on_macaque_v4() {
    let (Some(images), Some(responses)) = (find("data/macaque_v4/images_210325.zip"), find("data/macaque_v4/responses_avg_210325.npy")) else {
        return;
    };
    let config = FeatureConfig { height: 14, width: 14, lags: vec![1], contrast: true };
    let x = stimulus_features(photographs(&images).view(), &config).unwrap();
    let npy = npyz::NpyFile::new(std::fs::File::open(responses).unwrap()).unwrap();
    let (units, shown) = (npy.shape()[0] as usize, npy.shape()[1] as usize);
    let y = Array2::from_shape_vec((units, shown), npy.into_vec::<f64>().unwrap()).unwrap().mapv(|v| v as f32).reversed_axes();

    let mut order: Vec<usize> = (0..shown).collect();
    order.shuffle(&mut rand_chacha::ChaCha8Rng::seed_from_u64(0));
    // Whole folds in turn: three fifths train, one validates, one is held out and predicted.
    let accuracy = |y: &Array2<f32>| {
        let mut predicted = Array2::<f32>::zeros(y.dim());
        for fold in 0..5 {
            let of = |k: usize| order.iter().copied().skip(k % 5).step_by(5).collect::<Vec<_>>();
            let train: Vec<usize> = (2..5).flat_map(|k| of(fold + k)).collect();
            let (validation, test) = (of(fold + 1), of(fold));
            let rows = |a: &Array2<f32>, rows: &[usize]| a.select(Axis(0), rows);
            let (xt, yt, xv, yv) = (rows(&x, &train), rows(y, &train), rows(&x, &validation), rows(y, &validation));
            let model = LinearNonlinear::fit(xt.view(), yt.view(), xv.view(), yv.view(), &LinearConfig::default()).unwrap();
            let p = model.predict(rows(&x, &test).view()).unwrap();
            test.iter().zip(p.rows()).for_each(|(&i, row)| predicted.row_mut(i).assign(&row));
        }
        let column = |a: &Array2<f32>, u: usize| a.column(u).iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
        median_valid(&(0..units).map(|u| pearson(&column(&predicted, u), &column(y, u))).collect::<Vec<_>>()).0
    };
    let found = accuracy(&y);
    let shuffled = accuracy(&y.slice(s![..;-1, ..]).to_owned());
    println!("median held-out r {found:.3}, with responses to other photographs {shuffled:.3}");
    assert!(found > 0.3, "median held-out r {found}; ridge regression on these features reaches .36");
    assert!(shuffled.abs() < 0.1, "responses to other photographs are predicted with r {shuffled}");
}
